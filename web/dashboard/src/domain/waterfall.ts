// The steps from gross to total sales.
import type { FromGrossToTotalFragment } from '../gql/graphql';

type Metrics = FromGrossToTotalFragment['overview']['metrics'];

export interface Step {
  key: string;
  title: string;
  /** `sum`: the running total. The others add to it or subtract from it. */
  kind: 'sum' | 'plus' | 'minus';
  /** The exact amount with its sign. */
  amount: string;
  /** The start and end of the bar, as shares of the width. */
  from: number;
  to: number;
}

const negated = (amount: string) =>
  Number(amount) === 0 ? amount : amount.startsWith('-') ? amount.slice(1) : `-${amount}`;

const PARTS = [
  ['grossSales', 'Gross sales', 'sum'],
  ['discounts', 'Discounts', 'minus'],
  ['returns', 'Returns', 'minus'],
  ['netSales', 'Net sales', 'sum'],
  ['shipping', 'Shipping', 'plus'],
  ['taxes', 'Taxes', 'plus'],
  ['duties', 'Duties', 'plus'],
  ['fees', 'Fees', 'plus'],
  ['totalSales', 'Total sales', 'sum'],
] as const;

/** Steps that are omitted if they are zero. */
const RARE: readonly string[] = ['duties', 'fees'];

export const stepsOf = (metrics: Metrics): Step[] => {
  let reached = 0;
  const spans = PARTS.filter(([key]) => !RARE.includes(key) || Number(metrics[key].amount) !== 0).map(
    ([key, title, kind]) => {
      const amount = kind === 'minus' ? negated(metrics[key].amount) : metrics[key].amount;
      const start = kind === 'sum' ? 0 : reached;
      reached = kind === 'sum' ? Number(amount) : reached + Number(amount);
      return { key, title, kind, amount, low: Math.min(start, reached), high: Math.max(start, reached) };
    },
  );
  const low = Math.min(0, ...spans.map((span) => span.low));
  const width = Math.max(0, ...spans.map((span) => span.high)) - low || 1;
  return spans.map(({ low: from, high: to, ...step }) => ({
    ...step,
    from: (from - low) / width,
    to: (to - low) / width,
  }));
};
