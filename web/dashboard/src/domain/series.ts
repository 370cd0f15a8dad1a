// A series of the API as the points of a chart and a table.
import type { Interval, SalesOverTimeFragment } from '../gql/graphql';
import { drawn, valueOf, type FigureName } from './figures';
import type { Formats } from './format';
import { plusDays } from './range';

type Series = SalesOverTimeFragment['ordersByDate'];
type Bucket = Omit<Series[number], 'previous'>;

export interface Point {
  /** For the axis. */
  short: string;
  /** For reading. */
  long: string;
  /** The exact value. */
  exact: string | null;
  value: number | null;
  comparedLong: string | null;
  comparedExact: string | null;
  compared: number | null;
  /** Whether the interval has not ended yet. */
  unfinished: boolean;
}

const nextStart = (day: string, interval: Interval): string => {
  if (interval === 'WEEK') return plusDays(day, 7);
  if (interval === 'MONTH') {
    const [year = 0, month = 0] = day.split('-').map(Number);
    return new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10);
  }
  return plusDays(day, 1);
};

const HOUR = 3_600_000;

/** Whether an interval has not ended yet in the shop's time zone. */
export const isUnfinished = (bucket: Bucket, interval: Interval, today: string, now: number): boolean =>
  interval === 'HOUR'
    ? Date.parse(bucket.start) + HOUR > now
    : bucket.date <= today && nextStart(bucket.date, interval) > today;

/** Whether an hour has begun. Later hours have no value, rather than zero. */
const hasBegun = (bucket: Bucket, interval: Interval, now: number) =>
  interval !== 'HOUR' || Date.parse(bucket.start) <= now;

const labels = (bucket: Bucket, interval: Interval, formats: Formats): [short: string, long: string] => {
  switch (interval) {
    case 'HOUR':
      return [formats.hour(bucket.start), formats.instant(bucket.start)];
    case 'WEEK':
      return [formats.shortDay(bucket.date), `Week of ${formats.day(bucket.date)}`];
    case 'MONTH':
    case 'QUARTER':
    case 'YEAR':
      return [formats.month(bucket.date), formats.month(bucket.date)];
    case 'DAY':
      return [formats.shortDay(bucket.date), formats.day(bucket.date)];
  }
};

export interface SeriesOptions {
  figure: FigureName;
  interval: Interval;
  formats: Formats;
  today: string;
  now: number;
}

/** The points of a series, each with the one that it is compared with. */
export const pointsOf = (series: Series, { figure, interval, formats, today, now }: SeriesOptions): Point[] =>
  series.map((bucket) => {
    const before = bucket.previous;
    const [short, long] = labels(bucket, interval, formats);
    const begun = hasBegun(bucket, interval, now);
    return {
      short,
      long,
      exact: begun ? valueOf(bucket.metrics, figure) : null,
      value: begun ? drawn(bucket.metrics, figure) : null,
      comparedLong: before ? labels(before, interval, formats)[1] : null,
      comparedExact: before ? valueOf(before.metrics, figure) : null,
      compared: before ? drawn(before.metrics, figure) : null,
      unfinished: isUnfinished(bucket, interval, today, now),
    };
  });
