// The dashboard.
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useMutation } from 'urql';
import { Link, useSearchParams } from 'wouter';
import { typed, type Connection } from '../api/client';
import { usePage, type Figures as FiguresOfRange, type Page, type Problem } from '../api/usePage';
import { Figures } from '../cards/Figures';
import { FromGrossToTotal } from '../cards/FromGrossToTotal';
import { RecentOrders } from '../cards/RecentOrders';
import { SalesOverTime } from '../cards/SalesOverTime';
import { Syncs } from '../cards/Syncs';
import { TopCustomers } from '../cards/TopCustomers';
import { TopProducts } from '../cards/TopProducts';
import { formatsFor, todayIn, type Formats } from '../domain/format';
import { sentence } from '../domain/problems';
import { intervalOf, read, variables as variablesOf, write, type Selection } from '../domain/range';
import { SyncNowDocument, type AccountQuery } from '../gql/graphql';
import { Freshness } from '../ui/Freshness';
import { Header } from '../ui/Header';
import { KeyboardDialog, useKeys } from '../ui/keys';
import { Message } from '../ui/Message';
import { RangePicker } from '../ui/RangePicker';
import { Skeleton } from '../ui/Skeleton';
import { Stores } from '../ui/Stores';
import { useNow } from '../ui/useNow';
import { FirstSync } from './FirstSync';

type Me = NonNullable<AccountQuery['me']>;
type Shop = Me['tenant']['shop'];

export const useSelection = () => {
  const [search, setSearch] = useSearchParams();
  const selection = useMemo(() => read(search), [search]);
  const choose = useCallback(
    (change: Partial<Selection>) => setSearch((old) => write({ ...read(old), ...change })),
    [setSearch],
  );
  return [selection, choose] as const;
};

/** The error of the last request, above the last known figures. */
const Problems = ({ problem, again, narrower }: { problem: Problem | null; again: () => void; narrower: () => void }) => {
  switch (problem?.kind) {
    case undefined:
      return null;
    case 'unreachable':
      return (
        <Message tone="warn" title="Can’t reach the server">
          <p>Showing the last data we have; retrying automatically.</p>
          <button type="button" className="button" onClick={again}>Retry now</button>
        </Message>
      );
    case 'throttled':
      return (
        <Message tone="warn" title="Too many requests">
          <p>
            This store’s request budget, shared by all its pages and programs, is used up. Retrying in {problem.seconds}{' '}
            {problem.seconds === 1 ? 'second' : 'seconds'}.
          </p>
        </Message>
      );
    case 'too-much':
      return (
        <Message tone="warn" title="Too many points for this interval">
          <button type="button" className="button" onClick={narrower}>Show months</button>
        </Message>
      );
    case 'refused':
      return (
        <Message tone="bad" title={problem.message}>
          <p>
            Try again. If the problem persists, contact your administrator
            {problem.id && (
              <>
                {' '}with the request ID <code>{problem.id}</code>
              </>
            )}
            .
          </p>
          <button type="button" className="button" onClick={again}>Try again</button>
        </Message>
      );
  }
};

/** Notices about the store and the period. */
const Notices = ({ shop, others, empty, showAll }: { shop: Shop; others: number; empty: boolean; showAll: () => void }) => (
  <>
    {shop.status !== 'CONNECTED' && (
      <Message
        tone="bad"
        title={shop.status === 'REAUTHORISATION_NEEDED' ? 'Shopify rejected the credentials' : 'Can’t read the store'}
      >
        <p>{sentence(shop.statusReason ?? 'Syncing is paused')} Showing the last synced data.</p>
        {shop.status === 'REAUTHORISATION_NEEDED' && (
          <Link href="/settings" className="button">
            Replace credentials
          </Link>
        )}
      </Message>
    )}
    {others > 0 && (
      <Message tone="calm" title={`${others} ${others === 1 ? 'order' : 'orders'} in another currency`}>
        <p>The figures include orders in {shop.currencyCode} only, the store’s current currency.</p>
      </Message>
    )}
    {empty && (
      <Message tone="calm" title="No sales in this period">
        <p>Choose another period above.</p>
        <button type="button" className="button" onClick={showAll}>Show all time</button>
      </Message>
    )}
  </>
);

const localeOf = () => navigator.languages[0] ?? navigator.language;

interface Props {
  connection: Connection;
}

export const Dashboard = ({ connection }: Props) => {
  const [selection, choose] = useSelection();
  const key = JSON.stringify(variablesOf(selection));
  // oxlint-disable-next-line exhaustive-deps
  const variables = useMemo(() => variablesOf(selection), [key]);
  const page = usePage(connection, variables);
  const now = useNow();
  const me = page.account?.me;
  const shop = me?.tenant.shop;
  const days = page.figures?.data.overview.range;
  const formats = useMemo(
    () => formatsFor(localeOf(), shop?.currencyCode ?? 'USD', shop?.timeZone ?? 'UTC'),
    [shop?.currencyCode, shop?.timeZone],
  );
  const today = todayIn(shop?.timeZone ?? 'UTC', now);
  const [{ fetching: asking }, startSync] = useMutation(typed(SyncNowDocument));
  const sync = () => void startSync({ mode: 'INCREMENTAL' }).then(page.refreshAccount);
  const [keysShown, setKeysShown] = useState(false);
  useKeys({ selection, choose, days, help: () => setKeysShown(true) });
  useEffect(() => {
    document.title = shop ? `${shop.name} · XBoard` : 'XBoard';
  }, [shop]);
  return (
    <>
      <a className="skip" href="#content">Skip to the figures</a>
      <Header
        email={me?.email}
        keys={() => setKeysShown(true)}
        store={
          <div className="store">
            <h1 className="hidden">{shop?.name ?? 'Loading store'}</h1>
            {me && <Stores me={me} />}
            {shop && (
              <p>
                <span>{shop.currencyCode}</span> <span title="Days begin and end in this time zone">{shop.timeZone.replaceAll('_', ' ')}</span>
              </p>
            )}
          </div>
        }
      >
        {shop && <Freshness shop={shop} runs={page.runs} live={page.live} formats={formats} now={now} />}
        {shop?.lastSyncedAt !== null && (
          <RangePicker
            selection={selection}
            days={days}
            today={today}
            formats={formats}
            choose={choose}
          />
        )}
      </Header>
      <main id="content" tabIndex={-1}>
        <Problems problem={page.problem} again={page.refresh} narrower={() => choose({ interval: 'MONTH' })} />
        {me && page.importing ? (
          <FirstSync shop={me.tenant.shop} runs={page.runs} formats={formats} retry={sync} asking={asking} />
        ) : me && page.figures ? (
          <Content figures={page.figures} {...{ page, me, selection, choose, formats, today, now, sync, asking }} />
        ) : (
          <Skeleton />
        )}
      </main>
      {keysShown && <KeyboardDialog close={() => setKeysShown(false)} />}
    </>
  );
};

interface ContentProps {
  page: Page;
  figures: FiguresOfRange;
  me: Me;
  selection: Selection;
  choose: (change: Partial<Selection>) => void;
  formats: Formats;
  today: string;
  now: number;
  sync: () => void;
  asking: boolean;
}

const Content = ({ page, figures, me, selection, choose, formats, today, now, sync, asking }: ContentProps) => {
  const { data, variables } = figures;
  const { overview } = data;
  const { shop } = me.tenant;
  const role = me.memberships.find(({ tenant }) => tenant.id === me.tenant.id)?.role;
  const maySync = role === 'OWNER' || role === 'ADMIN';
  const { metrics } = overview;
  const empty = metrics.orders === 0 && Number(metrics.totalSales.amount) === 0 && data.recentOrders.nodes.length > 0;
  const days = overview.range;
  const common = { formats, variables };
  return (
    <>
      <Notices
        shop={shop}
        others={overview.ordersInOtherCurrencies}
        empty={empty}
        showAll={() => choose({ range: { preset: 'ALL_TIME' }, interval: null })}
      />
      <div className={`grid ${page.waiting ? 'waiting' : ''}`} aria-busy={page.waiting}>
        <Figures
          {...common}
          overview={overview}
          series={data.ordersByDate}
          chosen={selection.figure}
          choose={(figure) => choose({ figure })}
        />
        <SalesOverTime
          {...common}
          name={selection.figure}
          series={data.ordersByDate}
          days={days}
          previous={overview.previous?.range}
          today={today}
          now={now}
          chosen={intervalOf(selection)}
          choose={(interval) => choose({ interval })}
        />
        <FromGrossToTotal {...common} metrics={metrics} days={days} />
        <TopCustomers {...common} customers={data.topCustomers} days={days} />
        <RecentOrders {...common} orders={data.recentOrders.nodes} now={now} />
        <TopProducts {...common} products={data.products.nodes} />
        <Syncs
          {...common}
          runs={page.runs.slice(0, 6)}
          shop={shop}
          now={now}
          maySync={maySync}
          sync={sync}
          asking={asking}
        />
      </div>
      <footer className="bottom">
        <p>
          {formats.count(overview.totalCustomers)} customers in total. Each sale and return counts on the day it happened, in the
          time zone {shop.timeZone.replaceAll('_', ' ')}.
        </p>
      </footer>
    </>
  );
};
