/** Whether this server has GraphiQL, as it wrote into the page. */
export const explorer = () =>
  document.querySelector<HTMLMetaElement>('meta[name="xboard-explorer"]')?.content !== 'off';
