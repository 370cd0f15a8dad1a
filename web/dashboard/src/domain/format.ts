// Numbers and dates in the reader's locale, in the shop's currency and time zone.
import type { FigureKind } from './figures';
import type { Days } from './range';

const DAY = 86_400_000;

export interface Formats {
  /** An exact amount. */
  money: (amount: string, currency?: string) => string;
  /** An amount for a headline: without cents from 1,000. */
  headline: (amount: string) => string;
  /** For an axis. */
  short: (kind: FigureKind, value: number) => string;
  count: (value: number) => string;
  figure: (kind: FigureKind, value: string | null, exactly?: boolean) => string;
  change: (kind: FigureKind, by: number) => string;
  days: (days: Days) => string;
  day: (day: string) => string;
  shortDay: (day: string) => string;
  month: (day: string) => string;
  hour: (instant: string) => string;
  instant: (instant: string) => string;
  /** How long ago, from `now`. */
  ago: (instant: string, now: number) => string;
}

interface Writer {
  format: (amount: number | Intl.StringNumericLiteral) => string;
}

/** The amount is a string of digits, which `Intl` formats without rounding it to a float. */
const exact = (format: Writer, amount: string) =>
  // A minus sign is as wide as a digit; a hyphen is not.
  format.format(amount as Intl.StringNumericLiteral).replace('-', '\u2212');

export const formatsFor = (locale: string | undefined, currency: string, zone: string): Formats => {
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  // `Intl` accepts three-letter codes only; Shopify also has USDC.
  const moneyIn = (code: string, options: Intl.NumberFormatOptions = {}): Writer => {
    if (code.length === 3) return number({ style: 'currency', currency: code, ...options });
    const plain = number(Object.keys(options).length > 0 ? options : { minimumFractionDigits: 2 });
    return { format: (amount) => `${code}\u00a0${plain.format(amount)}` };
  };
  const money = moneyIn(currency);
  const whole = moneyIn(currency, { maximumFractionDigits: 0 });
  const shortMoney = moneyIn(currency, { notation: 'compact', maximumFractionDigits: 1 });
  const count = number({});
  const shortCount = number({ notation: 'compact', maximumFractionDigits: 1 });
  const percent = number({ style: 'percent', maximumFractionDigits: 1 });
  const wholePercent = number({ style: 'percent', maximumFractionDigits: 0 });
  const signed = number({ style: 'percent', maximumFractionDigits: 1, signDisplay: 'exceptZero' });
  const signedPoints = number({ maximumFractionDigits: 1, signDisplay: 'exceptZero' });
  const wide = number({ style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
  // Days have no time zone: parsed and formatted as UTC, they do not shift.
  const date = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options });
  const day = date({ day: 'numeric', month: 'short', year: 'numeric' });
  const weekday = date({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
  const shortDay = date({ day: 'numeric', month: 'short' });
  const month = date({ month: 'short', year: 'numeric' });
  const clock = new Intl.DateTimeFormat(locale, { timeZone: zone, hour: 'numeric', minute: '2-digit' });
  const instant = new Intl.DateTimeFormat(locale, { timeZone: zone, dateStyle: 'medium', timeStyle: 'short' });
  const placed = new Intl.DateTimeFormat(locale, { timeZone: zone, day: 'numeric', month: 'short', year: 'numeric' });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
  const at = (text: string) => new Date(`${text}T00:00:00Z`);
  const currencies = new Map<string, Writer>([[currency, money]]);

  const headline = (amount: string) =>
    exact(Math.abs(Number(amount)) >= 1000 ? whole : money, amount);

  return {
    money: (amount, other = currency) => {
      const format = currencies.get(other) ?? moneyIn(other);
      currencies.set(other, format);
      return exact(format, amount);
    },
    headline,
    short: (kind, value) =>
      kind === 'money'
        ? shortMoney.format(value)
        : kind === 'rate'
          ? wholePercent.format(value)
          : shortCount.format(value),
    count: (value) => count.format(value),
    figure: (kind, value, exactly = false) => {
      if (value === null) return '–';
      if (kind === 'money') return exactly ? exact(money, value) : headline(value);
      return kind === 'rate' ? percent.format(Number(value)) : exact(count, value);
    },
    change: (kind, by) =>
      kind === 'rate'
        ? `${signedPoints.format(by * 100)} pts`
        : Math.abs(by) >= 10
          ? wide.format(by)
          : signed.format(by),
    days: ({ from, to }) => (from === to ? day.format(at(from)) : day.formatRange(at(from), at(to))),
    day: (text) => weekday.format(at(text)),
    shortDay: (text) => shortDay.format(at(text)),
    month: (text) => month.format(at(text)),
    hour: (text) => clock.format(new Date(text)),
    instant: (text) => instant.format(new Date(text)),
    ago: (text, now) => {
      const seconds = Math.round((Date.parse(text) - now) / 1000);
      if (Math.abs(seconds) < 45) return 'just now';
      if (Math.abs(seconds) < 3600) return relative.format(Math.round(seconds / 60), 'minute');
      if (Math.abs(seconds) < 86_400) return relative.format(Math.round(seconds / 3600), 'hour');
      const days = Math.round((seconds * 1000) / DAY);
      return Math.abs(days) < 30 ? relative.format(days, 'day') : placed.format(new Date(text));
    },
  };
};

/** The current day in the shop's time zone. */
export const todayIn = (zone: string, now: number): string => {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone: zone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(now);
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? '';
  return `${part('year')}-${part('month')}-${part('day')}`;
};
