// How up to date the store's data is, in a pill.
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

/** Without webhooks, a store whose last sync is older than this is stale. */
const STALE_AFTER = 30 * 60_000;

export const freshnessOf = ({ shop, runs, live, formats, now }: Props): [tone: string, text: string, why: string] => {
  const run = runs.find((each) => !done(each));
  const ago = shop.lastSyncedAt ? formats.ago(shop.lastSyncedAt, now) : 'never';
  if (shop.status === 'REAUTHORISATION_NEEDED') {
    return ['bad', 'Reconnect', 'Shopify rejected the credentials. Syncing is paused.'];
  }
  if (shop.status === 'SUSPENDED') return ['bad', 'Store closed', 'Shopify has closed or frozen the store.'];
  if (shop.status === 'DISCONNECTED') return ['bad', 'Disconnected', 'The store is disconnected.'];
  if (run) return ['busy', `Syncing ${Math.round(shareOf(run) * 100)}%`, 'Fetching changes from the store.'];
  const hasWebhooks = shop.health.webhooks === 'ACTIVE';
  if (!hasWebhooks && (!shop.lastSyncedAt || now - Date.parse(shop.lastSyncedAt) > STALE_AFTER)) {
    return ['warn', `Stale, synced ${ago}`, 'The last sync was a while ago. Use “Sync now” below to fetch changes.'];
  }
  if (live && hasWebhooks) return ['good', 'Live', 'Changes appear here within seconds.'];
  if (live) return ['good', `Synced ${ago}`, 'Updates every few minutes.'];
  return ['warn', `Reconnecting, synced ${ago}`, 'The live connection is down. The page updates every 30 seconds.'];
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
