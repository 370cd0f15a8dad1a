// How fresh what is shown is, in a word.
import type { Formats } from '../domain/format';
import { done, shareOf } from '../domain/runs';
import type { RunFragment, MeFragment } from '../gql/graphql';

type Shop = NonNullable<MeFragment['me']>['tenant']['shop'];

interface Props {
  shop: Shop;
  runs: readonly RunFragment[];
  live: boolean;
  formats: Formats;
  now: number;
}

/** Longer ago than polling ever takes, a store that is not listened to is not current. */
const STALE_AFTER = 30 * 60_000;

export const freshnessOf = ({ shop, runs, live, formats, now }: Props): [tone: string, text: string, why: string] => {
  const run = runs.find((each) => !done(each));
  const ago = shop.lastSyncedAt ? formats.ago(shop.lastSyncedAt, now) : 'never';
  if (shop.status === 'REAUTHORISATION_NEEDED') {
    return ['bad', 'Connect again', 'Shopify refused the credentials of the store: nothing new arrives.'];
  }
  if (shop.status === 'SUSPENDED') return ['bad', 'Store closed', 'Shopify closed or froze the store.'];
  if (shop.status === 'DISCONNECTED') return ['bad', 'Disconnected', 'The store was disconnected.'];
  if (run) return ['busy', `Syncing ${Math.round(shareOf(run) * 100)} %`, 'Changes of the store are being fetched.'];
  const heard = shop.health.webhooks === 'ACTIVE';
  if (!heard && (!shop.lastSyncedAt || now - Date.parse(shop.lastSyncedAt) > STALE_AFTER)) {
    return ['warn', `Stale, synced ${ago}`, 'The last complete sync is a while ago. “Sync now” below fetches what changed.'];
  }
  if (live && heard) return ['good', 'Live', 'Changes in the store appear here within seconds.'];
  if (live) return ['good', `Synced ${ago}`, 'Changes are fetched every few minutes, and appear here by themselves.'];
  return ['warn', `Reconnecting, synced ${ago}`, 'The connection for live changes is down; the page asks every half minute.'];
};

export const Freshness = (props: Props) => {
  const [tone, text, why] = freshnessOf(props);
  return (
    <span className={`fresh ${tone}`} title={why} role="status">
      <i aria-hidden="true" />
      {text}
    </span>
  );
};
