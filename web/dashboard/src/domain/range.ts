// The selection: range, comparison, interval and figure. It is stored in the URL only, so that a link or a bookmark
// restores it.
import type { Comparison, DatePreset, DateRangeInput, Interval } from '../gql/graphql';
import { FIGURES, type FigureName } from './figures';

export interface Days {
  from: string;
  to: string;
}

export interface Selection {
  range: { preset: DatePreset } | { days: Days };
  compare: Comparison | null;
  /** Null: the default for the range. */
  interval: Interval | null;
  figure: FigureName;
}

export const PRESETS: readonly (readonly [DatePreset, string])[] = [
  ['TODAY', 'Today'],
  ['YESTERDAY', 'Yesterday'],
  ['LAST_7_DAYS', 'Last 7 days'],
  ['LAST_30_DAYS', 'Last 30 days'],
  ['LAST_90_DAYS', 'Last 90 days'],
  ['LAST_365_DAYS', 'Last 365 days'],
  ['MONTH_TO_DATE', 'Month to date'],
  ['QUARTER_TO_DATE', 'Quarter to date'],
  ['YEAR_TO_DATE', 'Year to date'],
  ['LAST_MONTH', 'Last month'],
  ['ALL_TIME', 'All time'],
];

export const COMPARISONS: readonly (readonly [Comparison | null, string])[] = [
  [null, 'No comparison'],
  ['PREVIOUS_PERIOD', 'Previous period'],
  ['PREVIOUS_YEAR', 'Previous year'],
];

const INTERVALS: readonly Interval[] = ['HOUR', 'DAY', 'WEEK', 'MONTH'];

export const DEFAULT: Selection = {
  range: { preset: 'LAST_30_DAYS' },
  compare: 'PREVIOUS_PERIOD',
  interval: null,
  figure: 'totalSales',
};

const slug = (name: string) => name.toLowerCase().replaceAll('_', '-');
const find = <T extends string>(all: readonly T[], text: string | null): T | undefined =>
  all.find((name) => slug(name) === text);

/** Whether the text is an existing day in the API's format. */
export const isDay = (text: string | null): text is string => {
  if (!text || !/^(19|20|21)\d\d-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
};

/** Reads the selection from the URL. Invalid parts are ignored. */
export const read = (search: URLSearchParams): Selection => {
  const [from, to] = [search.get('from'), search.get('to')];
  const preset = find(
    PRESETS.map(([name]) => name),
    search.get('range'),
  );
  const compare = search.get('compare');
  return {
    range: isDay(from) && isDay(to) && from <= to ? { days: { from, to } } : preset ? { preset } : DEFAULT.range,
    compare:
      compare === 'none' ? null : (find(['PREVIOUS_PERIOD', 'PREVIOUS_YEAR'] as const, compare) ?? DEFAULT.compare),
    interval: find(INTERVALS, search.get('by')) ?? null,
    figure: FIGURES.find(({ slug: name }) => name === search.get('show'))?.name ?? DEFAULT.figure,
  };
};

/** Writes the selection to the URL, without the defaults. */
export const write = ({ range, compare, interval, figure }: Selection): URLSearchParams => {
  const search = new URLSearchParams();
  if ('days' in range) {
    search.set('from', range.days.from);
    search.set('to', range.days.to);
  } else if ('preset' in DEFAULT.range && range.preset !== DEFAULT.range.preset) {
    search.set('range', slug(range.preset));
  }
  if (compare !== DEFAULT.compare) search.set('compare', compare ? slug(compare) : 'none');
  if (interval) search.set('by', slug(interval));
  if (figure !== DEFAULT.figure) search.set('show', FIGURES.find(({ name }) => name === figure)?.slug ?? '');
  return search;
};

const DAY = 86_400_000;
const epochDay = (day: string) => Date.parse(`${day}T00:00:00Z`) / DAY;

/** The number of days of a range, both ends included. */
export const length = ({ from, to }: Days) => epochDay(to) - epochDay(from) + 1;

/** The day `count` days later. */
export const plusDays = (day: string, count: number) =>
  new Date((epochDay(day) + count) * DAY).toISOString().slice(0, 10);

/** The range of the same length right before or after. */
export const moved = (days: Days, direction: -1 | 1): Days => {
  const by = length(days) * direction;
  return { from: plusDays(days.from, by), to: plusDays(days.to, by) };
};

const DEFAULT_INTERVALS: Partial<Record<DatePreset, Interval>> = {
  TODAY: 'HOUR',
  YESTERDAY: 'HOUR',
  LAST_365_DAYS: 'WEEK',
  YEAR_TO_DATE: 'WEEK',
  ALL_TIME: 'MONTH',
};

/** The longest range that each interval is offered for. */
const MAX_DAYS: Record<Interval, number> = {
  HOUR: 7,
  DAY: 740,
  WEEK: 5_000,
  MONTH: 30_000,
  QUARTER: Number.POSITIVE_INFINITY,
  YEAR: Number.POSITIVE_INFINITY,
};

const fitting = (days: number): Interval =>
  days <= 2 ? 'HOUR' : days <= 120 ? 'DAY' : days <= 800 ? 'WEEK' : 'MONTH';

/** The intervals that are offered for a range of this length. */
export const intervalsFor = (days: number): Interval[] => INTERVALS.filter((interval) => days <= MAX_DAYS[interval]);

/** The interval of the series. */
export const intervalOf = ({ range, interval }: Selection): Interval => {
  if ('preset' in range) {
    const days = { TODAY: 1, YESTERDAY: 1, LAST_7_DAYS: 7, ALL_TIME: 30_000 } as Partial<Record<DatePreset, number>>;
    const most = days[range.preset] ?? 366;
    // The length of all time is known only from the response. Weeks are few enough for most stores.
    if (interval && most <= MAX_DAYS[interval]) return interval;
    if (interval === 'WEEK') return interval;
    return DEFAULT_INTERVALS[range.preset] ?? 'DAY';
  }
  const days = length(range.days);
  return interval && days <= MAX_DAYS[interval] ? interval : fitting(days);
};

export interface Variables {
  range: DateRangeInput;
  compareTo: Comparison | null;
  interval: Interval;
}

/** The variables of the figures operation. */
export const variables = (selection: Selection): Variables => {
  const { range, compare } = selection;
  return {
    range: 'days' in range ? { between: { from: range.days.from, to: range.days.to } } : { preset: range.preset },
    // There is nothing to compare all time with.
    compareTo: 'preset' in range && range.preset === 'ALL_TIME' ? null : compare,
    interval: intervalOf(selection),
  };
};

export const title = ({ range }: Selection, days: (days: Days) => string): string =>
  'days' in range
    ? days(range.days)
    : (PRESETS.find(([name]) => name === range.preset)?.[1] ?? '');
