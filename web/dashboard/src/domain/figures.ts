// The eight figures of the page: their fields in the response, and their definitions as in docs/figures.md.
import type { MetricsFragment } from '../gql/graphql';

export type FigureName =
  | 'totalSales'
  | 'netSales'
  | 'orders'
  | 'averageOrderValue'
  | 'unitsSold'
  | 'customers'
  | 'returningCustomerRate'
  | 'returns';

export type FigureKind = 'money' | 'count' | 'rate';

export interface Figure {
  name: FigureName;
  slug: string;
  title: string;
  kind: FigureKind;
  definition: string;
  /** Whether a decrease is good. */
  lessIsBetter?: true;
  /** Whether the values of intervals add up to that of the range. */
  adds: boolean;
}

export const FIGURES: readonly Figure[] = [
  {
    name: 'totalSales',
    slug: 'total-sales',
    title: 'Total sales',
    kind: 'money',
    definition: 'Net sales plus shipping, taxes, duties and fees. Each event counts on the day it happened.',
    adds: true,
  },
  {
    name: 'netSales',
    slug: 'net-sales',
    title: 'Net sales',
    kind: 'money',
    definition: 'Gross sales minus discounts and returns, without taxes and shipping.',
    adds: true,
  },
  {
    name: 'orders',
    slug: 'orders',
    title: 'Orders',
    kind: 'count',
    definition: 'Orders placed with at least one product. Later cancellations and returns do not change the count.',
    adds: true,
  },
  {
    name: 'averageOrderValue',
    slug: 'average-order-value',
    title: 'Average order value',
    kind: 'money',
    definition: 'Gross sales minus discounts of the orders as placed, divided by the number of orders.',
    adds: false,
  },
  {
    name: 'unitsSold',
    slug: 'units-sold',
    title: 'Units sold',
    kind: 'count',
    definition: 'Product units sold. Returned units are not subtracted.',
    adds: true,
  },
  {
    name: 'customers',
    slug: 'customers',
    title: 'Customers',
    kind: 'count',
    definition: 'Distinct customers who placed an order. Guest checkouts are not counted.',
    adds: false,
  },
  {
    name: 'returningCustomerRate',
    slug: 'returning-customers',
    title: 'Returning customers',
    kind: 'rate',
    definition: 'The share of these customers who placed an order that was not their first.',
    adds: false,
  },
  {
    name: 'returns',
    slug: 'returns',
    title: 'Returns',
    kind: 'money',
    definition: 'The value of returned and removed items, without taxes, on the day they were processed.',
    lessIsBetter: true,
    adds: true,
  },
];

/** A figure's exact value, as the API returns it. Null if there is none. */
export const valueOf = (metrics: MetricsFragment, name: FigureName): string | null => {
  const value = metrics[name];
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? value.amount : String(value);
};

/** The same as a float, for drawing. */
export const drawn = (metrics: MetricsFragment, name: FigureName): number | null => {
  const value = valueOf(metrics, name);
  return value === null ? null : Number(value);
};

export interface Change {
  /** Relative, or for a rate in points; null if the previous value is zero. */
  by: number | null;
  direction: 'up' | 'down' | 'none';
  tone: 'good' | 'bad' | 'neutral';
}

/** How a figure changed. Null if either value is missing. */
export const changeOf = (figure: Figure, now: string | null, before: string | null): Change | null => {
  if (now === null || before === null) return null;
  const [current, past] = [Number(now), Number(before)];
  const difference = current - past;
  const direction = difference > 0 ? 'up' : difference < 0 ? 'down' : 'none';
  const isGood = direction === (figure.lessIsBetter ? 'down' : 'up');
  return {
    by: figure.kind === 'rate' ? difference : past === 0 ? (current === 0 ? 0 : null) : difference / Math.abs(past),
    direction,
    tone: direction === 'none' ? 'neutral' : isGood ? 'good' : 'bad',
  };
};
