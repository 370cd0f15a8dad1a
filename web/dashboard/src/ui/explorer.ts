/** Whether this server has GraphiQL. The server writes this into the page. */
export const explorer = () =>
  document.querySelector<HTMLMetaElement>('meta[name="xboard-explorer"]')?.content !== 'off';
