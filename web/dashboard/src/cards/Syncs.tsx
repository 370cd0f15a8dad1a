// What brings the store here: the last runs, and how well changes are heard of.
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
  QUEUED: ['Waiting', 'warn'],
  RUNNING: ['Under way', 'warn'],
  SUCCEEDED: ['Done', 'good'],
  FAILED: ['Failed', 'bad'],
  CANCELLED: ['Stopped', ''],
};

const TRIGGER: Record<RunFragment['trigger'], string> = {
  REGISTER: 'the store was connected',
  MANUAL: 'asked for',
  WEBHOOK: 'a change in the store',
  SCHEDULE: 'regular',
};

const nameOf = (kind: RunFragment['progress'][number]['kind'], count: number) =>
  count === 1 ? kind.toLowerCase().slice(0, -1) : kind.toLowerCase();

const counted = (run: RunFragment, formats: Formats) =>
  run.progress
    .filter((kind) => kind.done > 0)
    .map(({ kind, done: count }) => `${formats.count(count)} ${nameOf(kind, count)}`)
    .join(', ') || 'nothing new';

/** So many numbers of each kind are named here; the export has them all. */
const NAMED = 5;

const leftOut = (run: RunFragment, most: number) =>
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
  INCOMPLETE: ['Partly by polling', 'warn'],
  OFF: ['By polling', ''],
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
  const [heard, tone] = WEBHOOKS[health.webhooks];
  const lastHeard = health.kinds
    .map((kind) => kind.lastHeardAt)
    .filter((at) => at !== null)
    .toSorted()
    .at(-1);
  const busy = runs.some((run) => !done(run));
  return (
    <Card
      title="Syncs and health"
      of="syncs"
      className="syncs"
      variables={variables}
      note={shop.lastSyncedAt ? `Last complete ${formats.ago(shop.lastSyncedAt, now)}` : 'Not yet complete'}
      sheet={{
        name: 'syncs',
        text: () =>
          toCsv(
            ['queued', 'finished', 'mode', 'trigger', 'status', 'error', 'left out'],
            runs.map((run) => [
              run.queuedAt,
              run.finishedAt,
              run.mode,
              run.trigger,
              run.status,
              run.error,
              leftOut(run, Infinity),
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
            const unread = leftOut(run, NAMED);
            return (
              <li key={run.id}>
                <span className={`badge ${colour}`}>{status}</span>
                <span className="who">
                  <b>{run.mode === 'FULL' ? 'Everything' : 'Changes'}</b>
                  <span className="muted">
                    {run.error ? sentence(run.error) : `${TRIGGER[run.trigger]} · ${counted(run, formats)}`}
                  </span>
                  {unread && (
                    <span className="muted" title="They stay as they were, and are asked for again once a day.">
                      Could not be read: {unread}
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
          <Fact name="Changes arrive">
            <span className={`badge ${tone}`}>{heard}</span>
            {health.webhooksProblem && <p className="muted">{health.webhooksProblem}</p>}
          </Fact>
          <Fact name="Last change heard of">{lastHeard ? formats.ago(lastHeard, now) : 'None yet'}</Fact>
          <Fact name="Compared with the store">
            {health.reconciledAt
              ? `${formats.ago(health.reconciledAt, now)}: ${formats.count(health.reconciledMissed)} mended, ${formats.count(health.reconciledDeleted)} removed`
              : 'Not yet; it happens once a day'}
          </Fact>
          <Fact name="Orders that Shopify shows">
            {shop.orderHistoryDays === null ? 'All' : `The last ${shop.orderHistoryDays} days`}
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
