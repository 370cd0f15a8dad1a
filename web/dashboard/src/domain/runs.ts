// The progress of a sync.
import type { ObjectKind, RunFragment } from '../gql/graphql';

export const KINDS: readonly (readonly [ObjectKind, string])[] = [
  ['CUSTOMERS', 'Customers'],
  ['PRODUCTS', 'Products'],
  ['ORDERS', 'Orders'],
];

export const done = (run: RunFragment) => run.status !== 'QUEUED' && run.status !== 'RUNNING';

/** The progress of a run, from 0 to 1. Each kind of object counts the same. */
export const shareOf = (run: RunFragment): number => {
  if (run.status === 'SUCCEEDED') return 1;
  const shares = KINDS.map(([kind]) => {
    const found = run.progress.find((each) => each.kind === kind);
    if (!found || found.total === null) return 0;
    return found.total === 0 ? 1 : Math.min(1, found.done / found.total);
  });
  return shares.reduce((sum, each) => sum + each, 0) / KINDS.length;
};

/** The runs, updated with a pushed one. A finished run stays finished. */
export const merged = (runs: readonly RunFragment[], pushed: RunFragment | null): RunFragment[] => {
  if (!pushed) return [...runs];
  const known = runs.find((run) => run.id === pushed.id);
  if (!known) return [pushed, ...runs];
  return runs.map((run) => (run === known && !done(known) ? pushed : run));
};
