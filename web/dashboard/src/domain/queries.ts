// The query of each card: its fragment, as an operation of its own.
import {
  OverviewFragmentDoc,
  FromGrossToTotalFragmentDoc,
  RecentOrdersFragmentDoc,
  SalesOverTimeFragmentDoc,
  MeFragmentDoc,
  SyncsFragmentDoc,
  TopCustomersFragmentDoc,
  TopProductsFragmentDoc,
} from '../gql/graphql';
import type { Variables } from './range';

const PARTS = {
  figures: OverviewFragmentDoc,
  salesOverTime: SalesOverTimeFragmentDoc,
  fromGrossToTotal: FromGrossToTotalFragmentDoc,
  topCustomers: TopCustomersFragmentDoc,
  recentOrders: RecentOrdersFragmentDoc,
  topProducts: TopProductsFragmentDoc,
  syncs: SyncsFragmentDoc,
  account: MeFragmentDoc,
};

export type CardName = keyof typeof PARTS;

const TYPES: Record<keyof Variables, string> = {
  range: 'DateRangeInput!',
  compareTo: 'Comparison',
  interval: 'Interval!',
};

export interface CardQuery {
  query: string;
  variables: Partial<Variables>;
}

/** A card's query, with the values of the variables that it uses. */
export const queryOf = (card: CardName, variables: Variables): CardQuery => {
  const text = PARTS[card].toString().trim();
  const used = (Object.keys(TYPES) as (keyof Variables)[]).filter((name) => text.includes(`$${name}`));
  const head = used.map((name) => `$${name}: ${TYPES[name]}`).join(', ');
  return {
    query: `${text
      .replace(/^\s*fragment (\w+) on Query/m, head ? `query $1(${head})` : 'query $1')
      .replaceAll(/^ {4}(?=(query|fragment) )/gm, '')
      .replaceAll(/\n(?=fragment )/g, '\n\n')}\n`,
    variables: Object.fromEntries(used.map((name) => [name, variables[name]])),
  };
};

/** The address that opens the query in GraphiQL. Browsers do not send the part after the #. */
export const inExplorer = ({ query, variables }: CardQuery): string =>
  `/graphiql#${new URLSearchParams({ query, variables: JSON.stringify(variables, null, 2) }).toString()}`;
