import { describe, expect, it } from 'vitest';
import { DEFAULT, intervalOf, intervalsFor, isDay, length, moved, plusDays, read, variables, write } from '../../src/domain/range';

const of = (search: string) => read(new URLSearchParams(search));

describe('the URL', () => {
  it('omits the defaults', () => {
    expect(of('')).toEqual(DEFAULT);
    expect(write(DEFAULT).toString()).toBe('');
  });

  it('keeps range, comparison, interval and figure', () => {
    for (const search of [
      'range=last-90-days',
      'range=all-time&compare=none&by=month&show=orders',
      'from=2026-01-01&to=2026-01-31&compare=previous-year',
      'range=today&by=hour&show=returning-customers',
    ]) {
      expect(write(of(search)).toString()).toBe(search);
    }
  });

  it('ignores invalid parts', () => {
    for (const search of [
      'range=for-ever',
      'from=2026-02-30&to=2026-03-01',
      'from=2026-03-02&to=2026-03-01',
      'from=2026-03-02',
      'compare=something&by=second&show=me',
    ]) {
      expect(of(search)).toEqual(DEFAULT);
    }
  });
});

describe('days', () => {
  it('must exist', () => {
    expect(['2024-02-29', '1999-12-31'].every(isDay)).toBe(true);
    expect(['2026-02-29', '2026-13-01', '26-01-01', '2026-1-1', '', null].some(isDay)).toBe(false);
  });

  it('are counted and moved over months and leap years', () => {
    expect(length({ from: '2024-02-28', to: '2024-03-01' })).toBe(3);
    expect(plusDays('2024-02-28', 2)).toBe('2024-03-01');
    expect(moved({ from: '2026-03-01', to: '2026-03-31' }, -1)).toEqual({ from: '2026-01-29', to: '2026-02-28' });
    expect(moved({ from: '2026-03-01', to: '2026-03-01' }, 1)).toEqual({ from: '2026-03-02', to: '2026-03-02' });
  });
});

describe('intervals', () => {
  it('fit the range', () => {
    const interval = (search: string) => intervalOf(of(search));
    expect(interval('range=today')).toBe('HOUR');
    expect(interval('range=last-30-days')).toBe('DAY');
    expect(interval('range=last-365-days')).toBe('WEEK');
    expect(interval('range=all-time')).toBe('MONTH');
    expect(interval('from=2026-01-01&to=2026-01-02')).toBe('HOUR');
    expect(interval('from=2026-01-01&to=2026-04-30')).toBe('DAY');
    expect(interval('from=2020-01-01&to=2026-04-30')).toBe('MONTH');
  });

  it('are the chosen ones, unless there would be too many points', () => {
    expect(intervalOf(of('range=last-90-days&by=week'))).toBe('WEEK');
    expect(intervalOf(of('range=last-90-days&by=hour'))).toBe('DAY');
    expect(intervalOf(of('range=all-time&by=day'))).toBe('MONTH');
    expect(intervalOf(of('from=2000-01-01&to=2026-01-01&by=day'))).toBe('MONTH');
    expect(intervalsFor(7)).toEqual(['HOUR', 'DAY', 'WEEK', 'MONTH']);
    expect(intervalsFor(2000)).toEqual(['WEEK', 'MONTH']);
  });
});

describe('variables', () => {
  it('are those of the API', () => {
    expect(variables(of('from=2026-01-01&to=2026-01-31&compare=previous-year'))).toEqual({
      range: { between: { from: '2026-01-01', to: '2026-01-31' } },
      compareTo: 'PREVIOUS_YEAR',
      interval: 'DAY',
    });
  });

  it('have no comparison for all time', () => {
    expect(variables(of('range=all-time')).compareTo).toBeNull();
  });
});
