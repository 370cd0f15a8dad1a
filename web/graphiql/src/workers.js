// Monaco's workers, as files of our own: `WORKERS` is what build.mjs named them.
globalThis.MonacoEnvironment = {
  getWorker: (_, label) => new Worker(`/graphiql/${WORKERS[label] ?? WORKERS.editor}`),
};
