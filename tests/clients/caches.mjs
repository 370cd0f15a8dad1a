// Clients with normalised caches, unchanged, against the program: Apollo Client, urql with Graphcache, Relay, and
// graphql-request. Each pages through the same seven orders of two customers; each must end with every order once,
// and with one record of each customer.
// node caches.mjs '{"url": …, "token": …}' (after relay-compiler)
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { createClient as createUrql, fetchExchange } from '@urql/core';
import { ClientError, GraphQLClient } from 'graphql-request';
import { createClient as createSocket } from 'graphql-ws';
import relay from 'relay-runtime';
import { take, firstValueFrom } from 'rxjs';
import WebSocket from 'ws';
import ordersQuery from './relay/__generated__/OrdersQuery.graphql.js';
import nodeQuery from './relay/__generated__/OrdersNodeQuery.graphql.js';

const { url, token } = JSON.parse(process.argv[2]);
const headers = { authorization: `Bearer ${token}` };
const NAMES = ['#1001', '#1002', '#1003', '#1004', '#1005', '#1006', '#1007'];
const done = (what) => console.log(`ok ${what}`);
const sorted = (names) => [...names].sort();

const ORDERS = `query Orders($first: Int!, $after: String) {
  orders(first: $first, after: $after, sort: PROCESSED_AT_ASC) {
    edges { cursor node { id name totalPrice { amount currencyCode } customer { id displayName } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}`;
const CUSTOMERS = `query Customers { customers(first: 10) { nodes { id displayName email ordersCount } } }`;

async function apollo() {
  const requests = [];
  const watched = async (address, options) => {
    requests.push([options.method, address]);
    return fetch(address, options);
  };
  const socket = createSocket({ url: `${url.replace('http', 'ws')}/ws`, webSocketImpl: WebSocket, connectionParams: headers });
  const sha256 = async (text) => createHash('sha256').update(text).digest('hex');
  const http = new PersistedQueryLink({ sha256, useGETForHashedQueries: true }).concat(new HttpLink({ uri: url, headers, fetch: watched }));
  const isSubscription = ({ operationType }) => operationType === 'subscription';
  const client = new ApolloClient({
    link: ApolloLink.split(isSubscription, new GraphQLWsLink(socket), http),
    cache: new InMemoryCache({ typePolicies: { Query: { fields: { orders: relayStylePagination(['sort', 'filter']) } } } }),
  });
  const query = gql(ORDERS);
  const watch = client.watchQuery({ query, variables: { first: 3 } });
  let { data } = await client.query({ query, variables: { first: 3 } });
  while (data.orders.pageInfo.hasNextPage) {
    await watch.fetchMore({ variables: { after: data.orders.pageInfo.endCursor } });
    data = client.readQuery({ query, variables: { first: 3 } });
  }
  assert.deepEqual(data.orders.edges.map(({ node }) => node.name), NAMES);
  const { data: people } = await client.query({ query: gql(CUSTOMERS) });
  const cache = client.cache.extract();
  const kept = (type) => Object.keys(cache).filter((key) => key.startsWith(`${type}:`));
  assert.equal(kept('Order').length, 7);
  assert.equal(kept('Customer').length, 2);
  // One record: what the second query brought shows in the first one's order.
  const [first] = people.customers.nodes;
  assert.equal(cache[`Customer:${first.id}`].email, first.email);
  assert.ok(cache[`Customer:${first.id}`].ordersCount > 0);
  // A hash alone by GET, then the text with it: once known, the hash is enough.
  requests.length = 0;
  await client.query({ query: gql(CUSTOMERS), fetchPolicy: 'network-only' });
  assert.equal(requests.length, 1);
  assert.equal(requests[0][0], 'GET');
  assert.ok(!new URL(requests[0][1]).searchParams.has('query'));
  const subscription = client.subscribe({ query: gql`subscription { syncProgress { id status } }` });
  const progress = firstValueFrom(subscription.pipe(take(1)));
  await client.mutate({ mutation: gql`mutation { sync { syncRun { id status } userErrors { message code } } }` });
  assert.match((await progress).data.syncProgress.status, /^(QUEUED|RUNNING|SUCCEEDED)$/);
  client.stop();
  await socket.dispose();
  done('Apollo Client: pages, normalised cache, persisted queries by GET, subscription');
}

async function urql() {
  const warnings = [];
  // At `debug` it says what is not cached yet.
  const logger = (severity, message) => severity !== 'debug' && warnings.push(`${severity}: ${message}`);
  const client = createUrql({
    url,
    preferGetMethod: false,
    fetchOptions: { headers },
    exchanges: [cacheExchange({ resolvers: { Query: { orders: relayPagination() } }, keys: { Money: () => null }, logger }), fetchExchange],
  });
  const ask = async (query, variables, context) => {
    const { data, error } = await client.query(query, variables, context).toPromise();
    assert.equal(error, undefined, String(error));
    return data;
  };
  let after;
  let orders;
  do {
    ({ orders } = await ask(ORDERS, { first: 3, after }));
    after = orders.pageInfo.endCursor;
  } while (orders.pageInfo.hasNextPage);
  assert.deepEqual(orders.edges.map(({ node }) => node.name), NAMES);
  await ask(CUSTOMERS, {});
  // Answered by the cache alone, across both queries.
  const { customers } = await ask(CUSTOMERS, {}, { requestPolicy: 'cache-only' });
  assert.deepEqual(sorted(customers.nodes.map(({ displayName }) => displayName)), ['Ada Lovelace', 'Charles Babbage']);
  assert.deepEqual(warnings, []);
  done('urql: pages and normalised cache, without a warning');
}

async function relayRuntime() {
  const { Environment, Network, RecordSource, Store, createOperationDescriptor, fetchQuery, getRequest } = relay;
  const ask = async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables });
    const response = await fetch(url, { method: 'POST', body, headers: { ...headers, 'content-type': 'application/json', accept: 'application/graphql-response+json' } });
    assert.equal(response.status, 200);
    return response.json();
  };
  const environment = new Environment({ network: Network.create(ask), store: new Store(new RecordSource()) });
  const operation = (query, variables) => createOperationDescriptor(getRequest(query), variables);
  environment.retain(operation(ordersQuery, { count: 3 }));
  let cursor;
  let orders;
  do {
    await fetchQuery(environment, ordersQuery, { count: 3, cursor }).toPromise();
    ({ orders } = environment.lookup(operation(ordersQuery, { count: 3 }).fragment).data);
    cursor = orders.pageInfo.endCursor;
  } while (orders.pageInfo.hasNextPage);
  assert.equal(orders.edges.length, 7);
  const source = environment.getStore().getSource();
  const records = source.getRecordIDs().map((id) => source.get(id));
  const names = records.filter(({ __typename }) => __typename === 'Order').map(({ name }) => name);
  assert.deepEqual(sorted(names), NAMES);
  const people = records.filter(({ __typename }) => __typename === 'Customer');
  assert.equal(people.length, 2);
  // An object by its id alone, as a refetch asks for it: into the record that is there.
  const { node } = await fetchQuery(environment, nodeQuery, { id: people[0].__id }).toPromise();
  assert.equal(node.displayName, people[0].displayName);
  assert.ok(node.orders.nodes.length > 0);
  assert.equal(source.getRecordIDs().filter((id) => source.get(id).__typename === 'Customer').length, 2);
  done('Relay: @connection, normalised store, node');
}

async function request() {
  const client = new GraphQLClient(url, { headers });
  const { orders } = await client.request(ORDERS, { first: 100 });
  assert.deepEqual(orders.edges.map(({ node }) => node.name), NAMES);
  const refused = client.request('{ nonsense }');
  await assert.rejects(refused, (error) => error instanceof ClientError && error.response.errors[0].extensions.code === 'BAD_USER_INPUT');
  done('graphql-request: answers and errors');
}

await apollo();
await urql();
await relayRuntime();
await request();
process.exit(0);
