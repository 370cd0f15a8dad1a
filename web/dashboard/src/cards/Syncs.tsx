// The last syncs, and how up to date the store's data is.
import type { ReactNode } from 'react';
import { toCsv } from '../domain/csv';
import type { Formats } from '../domain/format';
import type { Variables } from '../domain/range';
import { sentence } from '../domain/problems';
import { done, shareOf } from '../domain/runs';
import type { RunFragment, MeFragment } from '../gql/graphql';
import { Card } from '../ui/Card';
import { Again } from '../ui/icons';

type Shop = NonNullable<MeFragment['me']>['tenant']['shop'];

const STATUS: Record<RunFragment['status'], [string, string]> = {
  QUEUED: ['Queued', 'warn'],
  RUNNING: ['Running', 'warn'],
  SUCCEEDED: ['Done', 'good'],
  FAILED: ['Failed', 'bad'],
  CANCELLED: ['Cancelled', ''],
};

const TRIGGER: Record<RunFragment['trigger'], string> = {
  REGISTER: 'store connected',
  MANUAL: 'started manually',
  WEBHOOK: 'change in the store',
  SCHEDULE: 'scheduled',
};

const nameOf = (kind: RunFragment['progress'][number]['kind'], count: number) =>
  count === 1 ? kind.toLowerCase().slice(0, -1) : kind.toLowerCase();

const counted = (run: RunFragment, formats: Formats) =>
  run.progress
    .filter((kind) => kind.done > 0)
    .map(({ kind, done: count }) => `${formats.count(count)} ${nameOf(kind, count)}`)
    .join(', ') || 'no changes';

/** The card lists this many ids of each kind; the export has all of them. */
const MAX_IDS = 5;

const skippedIn = (run: RunFragment, most: number) =>
  run.progress
    .filter((kind) => kind.leftOut.length > 0)
    .map(({ kind, leftOut: ids }) => {
      const more = ids.length > most ? ` and ${ids.length - most} more` : '';
      return `${nameOf(kind, ids.length)} ${ids.slice(0, most).join(', ')}${more}`;
    })
    .join('; ');

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

const WEBHOOKS: Record<Shop['health']['webhooks'], [string, string]> = {
  ACTIVE: ['Within seconds', 'good'],
  INCOMPLETE: ['Partly every few minutes', 'warn'],
  OFF: ['Every few minutes', ''],
};

interface Props {
  runs: readonly RunFragment[];
  shop: Shop;
  formats: Formats;
  variables: Variables;
  now: number;
  maySync: boolean;
  sync: () => void;
  asking: boolean;
}

export const Syncs = ({ runs, shop, formats, variables, now, maySync, sync, asking }: Props) => {
  const { health } = shop;
  const [updates, tone] = WEBHOOKS[health.webhooks];
  const lastWebhook = health.kinds
    .map((kind) => kind.lastHeardAt)
    .filter((at) => at !== null)
    .toSorted()
    .at(-1);
  const busy = runs.some((run) => !done(run));
  return (
    <Card
      title="Syncs"
      of="syncs"
      className="syncs"
      variables={variables}
      note={shop.lastSyncedAt ? `Synced ${formats.ago(shop.lastSyncedAt, now)}` : 'First sync not finished'}
      sheet={{
        name: 'syncs',
        text: () =>
          toCsv(
            ['queued', 'finished', 'mode', 'trigger', 'status', 'error', 'skipped'],
            runs.map((run) => [
              run.queuedAt,
              run.finishedAt,
              run.mode,
              run.trigger,
              run.status,
              run.error,
              skippedIn(run, Infinity),
            ]),
          ),
      }}
      tools={
        maySync && (
          <button type="button" className="button small" disabled={busy || asking} onClick={sync}>
            <Again /> {busy ? 'Syncing' : 'Sync now'}
          </button>
        )
      }
    >
      <div className="halves">
        <ul className="runs">
          {runs.map((run) => {
            const [status, colour] = STATUS[run.status];
            const skipped = skippedIn(run, MAX_IDS);
            return (
              <li key={run.id}>
                <span className={`badge ${colour}`}>{status}</span>
                <span className="who">
                  <b>{run.mode === 'FULL' ? 'Full sync' : 'Changes'}</b>
                  <span className="muted">
                    {run.error ? sentence(run.error) : `${TRIGGER[run.trigger]} · ${counted(run, formats)}`}
                  </span>
                  {skipped && (
                    <span className="muted" title="Shopify could not return these objects. Their last known state is shown; they are fetched again once a day.">
                      Skipped: {skipped}
                    </span>
                  )}
                  {run.status === 'RUNNING' && <progress value={shareOf(run)} max={1} aria-label="Sync progress" />}
                </span>
                <time className="muted" dateTime={run.queuedAt} title={formats.instant(run.queuedAt)}>
                  {formats.ago(run.queuedAt, now)}
                </time>
              </li>
            );
          })}
        </ul>
        <dl className="facts">
          <Fact name="Updates">
            <span className={`badge ${tone}`}>{updates}</span>
            {health.webhooksProblem && <p className="muted">{health.webhooksProblem}</p>}
          </Fact>
          <Fact name="Last webhook">{lastWebhook ? formats.ago(lastWebhook, now) : 'None yet'}</Fact>
          <Fact name="Last full check">
            {health.reconciledAt
              ? `${formats.ago(health.reconciledAt, now)}: ${
                  health.reconciledMissed + health.reconciledDeleted === 0
                    ? 'no differences'
                    : `${formats.count(health.reconciledMissed)} corrected, ${formats.count(health.reconciledDeleted)} removed`
                }`
              : 'Not yet; runs once a day'}
          </Fact>
          <Fact name="Order history">
            {shop.orderHistoryDays === null ? 'Complete' : `Last ${shop.orderHistoryDays} days`}
          </Fact>
          {health.missingScopes.length > 0 && (
            <Fact name="Missing access scopes">
              <code>{health.missingScopes.join(', ')}</code>
            </Fact>
          )}
        </dl>
      </div>
    </Card>
  );
};
