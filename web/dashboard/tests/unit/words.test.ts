import { describe, expect, it } from 'vitest';
import { toCsv } from '../../src/domain/csv';
import { formatsFor, todayIn } from '../../src/domain/format';
import { sentence, wrongAt, wrongElsewhere } from '../../src/domain/problems';
import { merged, shareOf } from '../../src/domain/runs';
import { pointsOf } from '../../src/domain/series';
import type { RunFragment, SalesOverTimeFragment } from '../../src/gql/graphql';

describe('numbers', () => {
  const formats = formatsFor('en-GB', 'GBP', 'Europe/London');

  it('are exact for any number of digits', () => {
    expect(formats.money('12345678901234567890.12')).toBe('£12,345,678,901,234,567,890.12');
    expect(formats.money('-0.50')).toBe('−£0.50');
    expect(formats.figure('count', '1234567')).toBe('1,234,567');
  });

  it('omit decimals only in headlines from 1,000', () => {
    expect(formats.headline('999.99')).toBe('£999.99');
    expect(formats.headline('1234.56')).toBe('£1,235');
    expect(formats.figure('money', '1234.56', true)).toBe('£1,234.56');
  });

  it('have their own currency and the reader’s locale', () => {
    expect(formats.money('5', 'JPY')).toBe('JP¥5');
    expect(formats.money('-1234.5', 'USDC')).toBe('USDC\u00a0−1,234.50');
    expect(formatsFor('de-DE', 'EUR', 'Europe/Berlin').money('1234.5').replaceAll('\u00a0', ' ')).toBe('1.234,50 €');
    expect(formatsFor('en-IN', 'INR', 'Asia/Kolkata').money('1234567')).toBe('₹12,34,567.00');
  });

  it('show their change', () => {
    expect(formats.change('money', 0.1234)).toBe('+12.3%');
    expect(formats.change('count', -0.5)).toBe('-50%');
    expect(formats.change('rate', 0.021)).toBe('+2.1 pts');
    expect(formats.change('money', 12.345)).toBe('+1,235%');
  });

  it('that are missing are a dash', () => {
    expect(formats.figure('rate', null)).toBe('–');
  });
});

describe('days', () => {
  const formats = formatsFor('en-GB', 'GBP', 'America/Los_Angeles');

  it('do not depend on the time zone of the reader or the shop', () => {
    expect(formats.day('2026-01-01')).toBe('Thu, 1 Jan 2026');
    expect(formats.days({ from: '2026-01-01', to: '2026-01-01' })).toBe('1 Jan 2026');
  });

  it('begin at midnight in the shop’s time zone', () => {
    const instant = Date.parse('2026-03-08T07:30:00Z');
    expect(todayIn('America/Los_Angeles', instant)).toBe('2026-03-07');
    expect(todayIn('Asia/Kolkata', instant)).toBe('2026-03-08');
    expect(todayIn('Pacific/Kiritimati', instant)).toBe('2026-03-08');
  });

  it('are relative for a month and absolute after that', () => {
    const now = Date.parse('2026-06-15T12:00:00Z');
    expect(formats.ago('2026-06-15T11:59:50Z', now)).toBe('just now');
    expect(formats.ago('2026-06-15T11:58:00Z', now)).toBe('2 min ago');
    expect(formats.ago('2026-06-15T09:00:00Z', now)).toBe('3 hr ago');
    expect(formats.ago('2026-06-14T12:00:00Z', now)).toBe('yesterday');
    expect(formats.ago('2011-12-09T12:50:00Z', now)).toBe('9 Dec 2011');
  });
});

describe('a series', () => {
  const formats = formatsFor('en-GB', 'GBP', 'Europe/London');
  type Bucket = SalesOverTimeFragment['ordersByDate'][number];
  const bucket = (date: string, orders: number, start = `${date}T00:00:00Z`) =>
    ({ date, start, metrics: { orders }, previous: null }) as unknown as Bucket;
  const options = { figure: 'orders' as const, formats, today: '2026-06-17', now: Date.parse('2026-06-17T10:30:00Z') };

  it('marks the interval in progress', () => {
    const open = (dates: string[], interval: 'DAY' | 'WEEK' | 'MONTH') =>
      pointsOf(
        dates.map((date) => bucket(date, 1)),
        { ...options, interval },
      ).map(({ unfinished }) => unfinished);
    expect(open(['2026-06-15', '2026-06-16', '2026-06-17'], 'DAY')).toEqual([false, false, true]);
    expect(open(['2026-06-08', '2026-06-15'], 'WEEK')).toEqual([false, true]);
    expect(open(['2026-05-01', '2026-06-01'], 'MONTH')).toEqual([false, true]);
    expect(open(['2026-12-01'], 'MONTH')).toEqual([false]);
  });

  it('has no values for hours that have not begun', () => {
    const hours = [9, 10, 11].map((hour) => bucket('2026-06-17', hour, `2026-06-17T${String(hour).padStart(2, '0')}:00:00Z`));
    const series = hours.map((hour) => ({ ...hour, previous: hour }));
    expect(pointsOf(series, { ...options, interval: 'HOUR' }).map(({ value, compared, unfinished }) => [value, compared, unfinished])).toEqual([
      [9, 9, false],
      [10, 10, true],
      [null, 11, true],
    ]);
  });

  it('carries the compared point, if there is one', () => {
    const series = [{ ...bucket('2026-06-01', 5), previous: bucket('2026-05-30', 7) }, bucket('2026-06-02', 6)];
    const points = pointsOf(series, { ...options, interval: 'DAY' });
    expect(points.map(({ exact, comparedExact }) => [exact, comparedExact])).toEqual([
      ['5', '7'],
      ['6', null],
    ]);
    expect(points[0]?.comparedLong).toBe('Sat, 30 May 2026');
  });
});

describe('comma-separated values', () => {
  it('are quoted where necessary', () => {
    expect(toCsv(['a', 'b'], [['x,y', 'say "so"'], [null, 1.5]])).toBe('a,b\r\n"x,y","say ""so"""\r\n,1.5\r\n');
  });

  it('are never formulas, and can be negative', () => {
    expect(toCsv(['name', 'amount'], [['=HYPERLINK("http://x")', '-5.00']])).toBe(
      'name,amount\r\n"\'=HYPERLINK(""http://x"")",-5.00\r\n',
    );
    expect(toCsv(['name'], [['@SUM(1)'], ['+1+1'], ['-1+1']])).toBe("name\r\n'@SUM(1)\r\n'+1+1\r\n'-1+1\r\n");
  });
});

describe('a sync', () => {
  const run = (part: Partial<RunFragment>) =>
    ({ id: '1', status: 'RUNNING', progress: [], ...part }) as unknown as RunFragment;

  it('has the mean progress of its kinds', () => {
    expect(shareOf(run({}))).toBe(0);
    const progress = [
      { kind: 'CUSTOMERS', done: 10, total: 10 },
      { kind: 'PRODUCTS', done: 0, total: 0 },
      { kind: 'ORDERS', done: 5, total: null },
    ] as RunFragment['progress'];
    expect(shareOf(run({ progress }))).toBeCloseTo(2 / 3);
    expect(shareOf(run({ status: 'SUCCEEDED' }))).toBe(1);
  });

  it('that has finished ignores older events', () => {
    const ended = run({ status: 'SUCCEEDED' });
    expect(merged([ended], run({ status: 'RUNNING' }))).toEqual([ended]);
    const going = run({ progress: [{ kind: 'ORDERS', done: 5, total: 9 }] as RunFragment['progress'] });
    expect(merged([run({})], going)).toEqual([going]);
    expect(merged([ended], run({ id: '2' })).map(({ id }) => id)).toEqual(['2', '1']);
  });
});

describe('a reason', () => {
  it('is a sentence', () => {
    expect(sentence('the store refused the access token')).toBe('The store refused the access token.');
    expect(sentence('Try again.')).toBe('Try again.');
  });
});

describe('the errors of a form', () => {
  const problems = [
    { field: ['input', 'shop', 'domain'], message: 'Which store?', code: 'INVALID' as const },
    { field: ['input', 'shop', 'credentials', 'accessToken', 'token'], message: 'No token.', code: 'INVALID' as const },
    { field: null, message: 'Something else.', code: 'RATE_LIMITED' as const },
  ];

  it('are at their field, or above the form', () => {
    expect(wrongAt(problems, 'input.shop.domain')).toBe('Which store?');
    expect(wrongAt(problems, 'input.email')).toBeUndefined();
    expect(wrongElsewhere(problems, ['input.shop.domain', 'input.shop.credentials'])).toEqual(['Something else.']);
  });
});
