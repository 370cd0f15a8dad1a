import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { inExplorer, queryOf, type CardName } from '../../src/domain/queries';

const schema = buildSchema(readFileSync(new URL('../../../../schema.graphql', import.meta.url), 'utf8'));
const variables = { range: { preset: 'TODAY' as const }, compareTo: null, interval: 'HOUR' as const };
const CARDS: CardName[] = [
  'figures',
  'salesOverTime',
  'fromGrossToTotal',
  'topCustomers',
  'recentOrders',
  'topProducts',
  'syncs',
  'account',
];

it.each(CARDS)('the query behind %s is an operation of its own, with its variables', (card) => {
  const { query, variables: used } = queryOf(card, variables);
  expect(query).toMatch(/^query \w+/);
  expect(validate(schema, parse(query))).toEqual([]);
  const named = [...query.matchAll(/\$(\w+)/g)].map(([, name]) => name);
  expect(new Set(named)).toEqual(new Set(Object.keys(used)));
});

it('is passed to GraphiQL after the #, which browsers do not send', () => {
  const address = new URL(inExplorer(queryOf('topCustomers', variables)), 'http://localhost');
  expect(address.pathname + address.search).toBe('/graphiql');
  const given = new URLSearchParams(address.hash.slice(1));
  expect(given.get('query')).toBe(queryOf('topCustomers', variables).query);
  expect(JSON.parse(given.get('variables') ?? '')).toEqual({ range: { preset: 'TODAY' } });
});
