declare module 'virtual:document-hashes' {
  /** The SHA-256 of each query's text, by the operation's name. */
  const hashes: Readonly<Record<string, string>>;
  export default hashes;
}
