// The code with which an account takes over a store that let the app in. It comes behind the #, which no server
// sees, and leaves the address at once; signing in on the way to using it does not lose it.

/** The code in an address of this page, if there is one. */
export const codeIn = (hash: string): string => (/^#[\w-]{10,200}$/.test(hash) ? hash.slice(1) : '');

let kept = '';

export const takeCode = (): string => {
  const came = codeIn(location.hash);
  if (came) {
    kept = came;
    history.replaceState(null, '', location.pathname + location.search);
  }
  return kept;
};
