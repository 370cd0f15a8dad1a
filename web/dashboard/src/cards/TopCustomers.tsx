import { toCsv } from '../domain/csv';
import type { Formats } from '../domain/format';
import type { Days, Variables } from '../domain/range';
import type { TopCustomersFragment } from '../gql/graphql';
import { Card } from '../ui/Card';

interface Props {
  customers: TopCustomersFragment['topCustomers'];
  days: Days;
  formats: Formats;
  variables: Variables;
}

/** A bar behind a row: its share of the greatest. */
export const share = (amount: string, most: string) =>
  `${Math.max(0, Math.min(100, (Number(amount) / (Number(most) || 1)) * 100))}%`;

export const TopCustomers = ({ customers, days, formats, variables }: Props) => {
  const most = customers[0]?.totalSpent.amount ?? '0';
  return (
    <Card
      title="Top customers"
      of="topCustomers"
      variables={variables}
      note={formats.days(days)}
      sheet={{
        name: `top-customers-${days.from}-${days.to}`,
        text: () =>
          toCsv(
            ['rank', 'customer', 'email', 'orders', 'total spent', 'currency'],
            customers.map(({ rank, customer, orders, totalSpent }) => [
              rank,
              customer.displayName,
              customer.email,
              orders,
              totalSpent.amount,
              totalSpent.currencyCode,
            ]),
          ),
      }}
    >
      {customers.length === 0 ? (
        <p className="empty">No customers ordered in this period. Guest orders are not listed.</p>
      ) : (
        <ol className="ranking">
          {customers.map(({ rank, customer, orders, totalSpent }) => (
            <li key={customer.id}>
              <span className="rank">{rank}</span>
              <span className="who">
                <b>{customer.displayName}</b>
                <span className="muted">
                  {formats.count(orders)} {orders === 1 ? 'order' : 'orders'}
                </span>
              </span>
              <span className="number">{formats.money(totalSpent.amount)}</span>
              <i className="share" style={{ width: share(totalSpent.amount, most) }} />
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
};
