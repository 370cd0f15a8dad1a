// The eight figures of the page: where they are in the answer, and what they mean, in the words of docs/figures.md.
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
  /** Whether a fall is good news. */
  lessIsBetter?: true;
  /** Whether the intervals of a range add up to it, so that it can be drawn as a sum. */
  adds: boolean;
}

export const FIGURES: readonly Figure[] = [
  {
    name: 'totalSales',
    slug: 'total-sales',
    title: 'Total sales',
    kind: 'money',
    definition: 'Net sales with shipping, taxes, duties and fees. Each event counts on the day it happened.',
    adds: true,
  },
  {
    name: 'netSales',
    slug: 'net-sales',
    title: 'Net sales',
    kind: 'money',
    definition: 'Gross sales less discounts and returns, without taxes and shipping.',
    adds: true,
  },
  {
    name: 'orders',
    slug: 'orders',
    title: 'Orders',
    kind: 'count',
    definition: 'Orders placed that hold at least one product. Cancelling or returning one later changes nothing about it.',
    adds: true,
  },
  {
    name: 'averageOrderValue',
    slug: 'average-order-value',
    title: 'Average order value',
    kind: 'money',
    definition: 'Gross sales less discounts of the orders as they were placed, divided by their number.',
    adds: false,
  },
  {
    name: 'unitsSold',
    slug: 'units-sold',
    title: 'Units sold',
    kind: 'count',
    definition: 'Units of products sold. Returned units are not taken off.',
    adds: true,
  },
  {
    name: 'customers',
    slug: 'customers',
    title: 'Customers',
    kind: 'count',
    definition: 'Distinct customers who placed an order. Guests count for nobody.',
    adds: false,
  },
  {
    name: 'returningCustomerRate',
    slug: 'returning-customers',
    title: 'Returning customers',
    kind: 'rate',
    definition: 'The share of these customers who had ordered before these days.',
    adds: false,
  },
  {
    name: 'returns',
    slug: 'returns',
    title: 'Returns',
    kind: 'money',
    definition: 'What returns and removed items took back, on the day they were processed, without taxes.',
    lessIsBetter: true,
    adds: true,
  },
];

/** A figure's exact value, as the API has it. Null: there is none. */
export const valueOf = (metrics: MetricsFragment, name: FigureName): string | null => {
  const value = metrics[name];
  if (value === null || value === undefined) return null;
  return typeof value === 'object' ? value.amount : String(value);
};

/** The same for drawing, where a pixel is coarser than any rounding. */
export const drawn = (metrics: MetricsFragment, name: FigureName): number | null => {
  const value = valueOf(metrics, name);
  return value === null ? null : Number(value);
};

export interface Change {
  /** Relative, or for a rate in points; null where nothing was before. */
  by: number | null;
  direction: 'up' | 'down' | 'none';
  tone: 'good' | 'bad' | 'neutral';
}

/** How a figure changed. Null without anything to compare with. */
export const changeOf = (figure: Figure, now: string | null, before: string | null): Change | null => {
  if (now === null || before === null) return null;
  const [present, past] = [Number(now), Number(before)];
  const difference = present - past;
  const direction = difference > 0 ? 'up' : difference < 0 ? 'down' : 'none';
  const isGood = direction === (figure.lessIsBetter ? 'down' : 'up');
  return {
    by: figure.kind === 'rate' ? difference : past === 0 ? (present === 0 ? 0 : null) : difference / Math.abs(past),
    direction,
    tone: direction === 'none' ? 'neutral' : isGood ? 'good' : 'bad',
  };
};
