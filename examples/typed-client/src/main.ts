// Signs in, reads the headline figures of a range, and goes through the orders page by page.
// node dist/main.js http://127.0.0.1:3001/graphql EMAIL PASSWORD
import { GraphQLClient } from 'graphql-request';
import { graphql } from './gql/gql.js';
import type { DateRangeInput } from './gql/graphql.js';

const login = graphql(`
  mutation Login($input: LoginInput!) {
    login(input: $input) {
      session { token }
      userErrors { field message code }
    }
  }
`);

const headlines = graphql(`
  query Headlines($range: DateRangeInput!) {
    me { tenant { shop { name currencyCode } } }
    overview(range: $range) {
      range { from to }
      metrics { orders totalSales { amount } averageOrderValue { amount } returningCustomerRate }
    }
  }
`);

const orders = graphql(`
  query OrderPage($after: String) {
    orders(first: 100, after: $after, sort: PROCESSED_AT_ASC) {
      nodes { name processedAt totalPrice { amount currencyCode } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const [url, email, password] = process.argv.slice(2);
if (!url || !email || !password) throw new Error('usage: node dist/main.js URL EMAIL PASSWORD');

const client = new GraphQLClient(url);

const { session, userErrors } = (await client.request(login, { input: { email, password } })).login;
if (!session) throw new Error(userErrors.map(({ message }) => message).join(' '));
client.setHeader('authorization', `Bearer ${session.token}`);

const range: DateRangeInput = { preset: 'ALL_TIME' };
const { me, overview } = await client.request(headlines, { range });
const shop = me?.tenant.shop;
const { metrics } = overview;
console.log(`${shop?.name}: ${metrics.orders} orders, ${metrics.totalSales.amount} ${shop?.currencyCode}`);

let count = 0;
let after: string | null | undefined = null;
do {
  const page: Awaited<ReturnType<typeof nextPage>> = await nextPage(after);
  count += page.nodes.length;
  after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
} while (after);
console.log(`${count} orders listed`);

async function nextPage(cursor: string | null | undefined) {
  return (await client.request(orders, { after: cursor })).orders;
}
