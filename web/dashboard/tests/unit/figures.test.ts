import { describe, expect, it } from 'vitest';
import { changeOf, FIGURES, type FigureName } from '../../src/domain/figures';
import { stepsOf } from '../../src/domain/waterfall';

const figure = (name: FigureName) => FIGURES.find((each) => each.name === name)!;

describe('a change', () => {
  it('is relative, and good when more is better', () => {
    expect(changeOf(figure('totalSales'), '150.00', '100.00')).toEqual({ by: 0.5, direction: 'up', tone: 'good' });
    expect(changeOf(figure('orders'), '3', '4')).toEqual({ by: -0.25, direction: 'down', tone: 'bad' });
  });

  it('is good when returns fall', () => {
    expect(changeOf(figure('returns'), '10.00', '20.00')).toEqual({ by: -0.5, direction: 'down', tone: 'good' });
  });

  it('of a rate is in points', () => {
    expect(changeOf(figure('returningCustomerRate'), '0.5', '0.25')).toEqual({ by: 0.25, direction: 'up', tone: 'good' });
  });

  it('from zero has no percentage, and from a negative amount goes up', () => {
    expect(changeOf(figure('orders'), '3', '0')).toEqual({ by: null, direction: 'up', tone: 'good' });
    expect(changeOf(figure('orders'), '0', '0')).toEqual({ by: 0, direction: 'none', tone: 'neutral' });
    expect(changeOf(figure('netSales'), '50.00', '-100.00')).toEqual({ by: 1.5, direction: 'up', tone: 'good' });
  });

  it('is unknown without both values', () => {
    expect(changeOf(figure('returningCustomerRate'), null, '0.5')).toBeNull();
  });
});

describe('the waterfall from gross to total', () => {
  const money = (amount: string) => ({ amount, currencyCode: 'EUR' });
  const metrics = (amounts: Record<string, string>) =>
    Object.fromEntries(
      ['grossSales', 'discounts', 'returns', 'netSales', 'shipping', 'taxes', 'duties', 'fees', 'totalSales'].map(
        (name) => [name, money(amounts[name] ?? '0.00')],
      ),
    ) as unknown as Parameters<typeof stepsOf>[0];

  it('goes down for discounts and returns and up for additions', () => {
    const steps = stepsOf(
      metrics({
        grossSales: '100.00',
        discounts: '10.00',
        returns: '30.00',
        netSales: '60.00',
        shipping: '5.00',
        taxes: '15.00',
        totalSales: '80.00',
      }),
    );
    expect(steps.map(({ title, amount, from, to }) => [title, amount, from, to])).toEqual([
      ['Gross sales', '100.00', 0, 1],
      ['Discounts', '-10.00', 0.9, 1],
      ['Returns', '-30.00', 0.6, 0.9],
      ['Net sales', '60.00', 0, 0.6],
      ['Shipping', '5.00', 0.6, 0.65],
      ['Taxes', '15.00', 0.65, 0.8],
      ['Total sales', '80.00', 0, 0.8],
    ]);
  });

  it('shows duties and fees where there are any', () => {
    expect(stepsOf(metrics({ fees: '1.00', totalSales: '1.00' })).map(({ title }) => title)).toContain('Fees');
  });

  it('stays inside its width when returns exceed sales', () => {
    const steps = stepsOf(metrics({ grossSales: '10.00', returns: '40.00', netSales: '-30.00', totalSales: '-30.00' }));
    for (const { from, to } of steps) {
      expect(from).toBeGreaterThanOrEqual(0);
      expect(to).toBeLessThanOrEqual(1);
      expect(to).toBeGreaterThanOrEqual(from);
    }
    expect(steps.at(-1)).toMatchObject({ amount: '-30.00', from: 0, to: 0.75 });
  });

  it('is drawn for a store without sales', () => {
    expect(stepsOf(metrics({})).every(({ from, to }) => from === 0 && to === 0)).toBe(true);
  });
});
