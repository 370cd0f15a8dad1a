// The newest orders. Orders that arrive while the page is open slide in.
import { useEffect, useRef, useState } from 'react';
import { toCsv } from '../domain/csv';
import type { Formats } from '../domain/format';
import type { Variables } from '../domain/range';
import type { RecentOrdersFragment } from '../gql/graphql';
import { Card } from '../ui/Card';

type Order = RecentOrdersFragment['recentOrders']['nodes'][number];

interface Props {
  orders: readonly Order[];
  formats: Formats;
  variables: Variables;
  now: number;
}

const labelOf = (status: string) => {
  const text = status.toLowerCase().replaceAll('_', ' ');
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const TONES: Record<string, string> = {
  PAID: 'good',
  PENDING: 'warn',
  AUTHORIZED: 'warn',
  PARTIALLY_PAID: 'warn',
  REFUNDED: 'bad',
  VOIDED: 'bad',
  PARTIALLY_REFUNDED: 'bad',
};

/** The ids of orders that arrived after the card was first shown. */
const useArrivals = (orders: readonly Order[]) => {
  const known = useRef<Set<string> | null>(null);
  const [arrived, setArrived] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => {
    const ids = orders.map(({ id }) => id);
    const before = known.current;
    known.current = new Set([...(before ?? []), ...ids]);
    const fresh = before ? ids.filter((id) => !before.has(id)) : [];
    if (fresh.length > 0) setArrived((all) => new Set([...all, ...fresh]));
  }, [orders]);
  return arrived;
};

export const RecentOrders = ({ orders, formats, variables, now }: Props) => {
  const arrived = useArrivals(orders);
  const newest = orders.find(({ id }) => arrived.has(id));
  return (
    <Card
      title="Recent orders"
      of="recentOrders"
      variables={variables}
      note="Newest orders, all dates"
      sheet={{
        name: 'recent-orders',
        text: () =>
          toCsv(
            ['order', 'placed', 'customer', 'payment', 'delivery', 'total', 'currency'],
            orders.map((order) => [
              order.name,
              order.processedAt,
              order.customer?.displayName ?? null,
              order.financialStatus,
              order.fulfillmentStatus,
              order.totalPrice.amount,
              order.totalPrice.currencyCode,
            ]),
          ),
      }}
    >
      <p className="hidden" aria-live="polite">
        {newest && `New order ${newest.name}, ${formats.money(newest.totalPrice.amount, newest.totalPrice.currencyCode)}`}
      </p>
      {orders.length === 0 ? (
        <p className="empty">No orders yet. New orders appear here automatically.</p>
      ) : (
        <ul className="orders">
          {orders.map((order) => (
            <li key={order.id} className={arrived.has(order.id) ? 'arrived' : ''} data-order={order.name}>
              <span className="who">
                <b>{order.name}</b>
                <span className="muted">{order.customer?.displayName ?? 'Guest'}</span>
              </span>
              <span className="what">
                {order.test && <span className="badge">Test</span>}
                {order.cancelledAt ? (
                  <span className="badge bad">Cancelled</span>
                ) : (
                  order.financialStatus && (
                    <span className={`badge ${TONES[order.financialStatus] ?? ''}`}>{labelOf(order.financialStatus)}</span>
                  )
                )}
              </span>
              <span className="sum">
                <span className="number">{formats.money(order.totalPrice.amount, order.totalPrice.currencyCode)}</span>
                <time className="muted" dateTime={order.processedAt} title={formats.instant(order.processedAt)}>
                  {formats.ago(order.processedAt, now)}
                </time>
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
};
