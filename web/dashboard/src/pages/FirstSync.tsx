// The progress of a new store's first import.
import type { Formats } from '../domain/format';
import { sentence } from '../domain/problems';
import { done, KINDS } from '../domain/runs';
import type { RunFragment, MeFragment } from '../gql/graphql';
import { Message } from '../ui/Message';

interface Props {
  shop: NonNullable<MeFragment['me']>['tenant']['shop'];
  runs: readonly RunFragment[];
  formats: Formats;
  retry: () => void;
  asking: boolean;
}

export const FirstSync = ({ shop, runs, formats, retry, asking }: Props) => {
  const run = runs.find((each) => !done(each)) ?? runs[0];
  if (!run) return null;
  if (run.status === 'FAILED' || run.status === 'CANCELLED') {
    return (
      <Message tone="bad" title="The import failed">
        <p>{sentence(run.error ?? 'It was cancelled')} The data fetched so far is kept, and the next attempt continues from there.</p>
        <button type="button" className="button strong" disabled={asking} onClick={retry}>
          Try again
        </button>
      </Message>
    );
  }
  return (
    <section className="card first" aria-labelledby="first-sync">
      <h2 id="first-sync">Importing {shop.name}…</h2>
      <p className="muted">
        {run.status === 'QUEUED' ? 'The import starts in a moment.' : 'Your dashboard appears when the import is done.'} You
        can close this page.
      </p>
      <ul>
        {KINDS.map(([kind, name]) => {
          const found = run.progress.find((each) => each.kind === kind);
          const known = found && found.total !== null;
          return (
            <li key={kind}>
              <label htmlFor={`first-${kind}`}>{name}</label>
              {/* Without a value the bar is indeterminate. */}
              <progress
                id={`first-${kind}`}
                max={1}
                {...(!found ? { value: 0 } : known ? { value: found.total === 0 ? 1 : found.done / (found.total ?? 1) } : {})}
              />
              <span className="number muted">
                {!found
                  ? 'Waiting'
                  : known
                    ? `${formats.count(found.done)} of ${formats.count(found.total ?? 0)}`
                    : found.done > 0
                      ? formats.count(found.done)
                      : 'Shopify is preparing the data'}
              </span>
            </li>
          );
        })}
      </ul>
    </section>
  );
};
