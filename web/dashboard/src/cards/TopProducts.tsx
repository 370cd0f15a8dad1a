import { toCsv } from '../domain/csv';
import type { Formats } from '../domain/format';
import type { Variables } from '../domain/range';
import type { TopProductsFragment } from '../gql/graphql';
import { Card } from '../ui/Card';
import { share } from './TopCustomers';

interface Props {
  products: TopProductsFragment['products']['nodes'];
  formats: Formats;
  variables: Variables;
}

export const TopProducts = ({ products, formats, variables }: Props) => {
  const most = products[0]?.netSales.amount ?? '0';
  return (
    <Card
      title="Top products"
      of="topProducts"
      variables={variables}
      note="All time, by net sales"
      sheet={{
        name: 'top-products',
        text: () =>
          toCsv(
            ['product', 'units sold', 'net sales', 'currency'],
            products.map(({ title, unitsSold, netSales }) => [title, unitsSold, netSales.amount, netSales.currencyCode]),
          ),
      }}
    >
      {products.length === 0 ? (
        <p className="empty">No products yet.</p>
      ) : (
        <ol className="ranking">
          {products.map(({ id, title, unitsSold, netSales }, index) => (
            <li key={id}>
              <span className="rank">{index + 1}</span>
              <span className="who">
                <b>{title}</b>
                <span className="muted">{formats.count(unitsSold)} units</span>
              </span>
              <span className="number">{formats.money(netSales.amount)}</span>
              <i className="share" style={{ width: share(netSales.amount, most) }} />
            </li>
          ))}
        </ol>
      )}
    </Card>
  );
};
