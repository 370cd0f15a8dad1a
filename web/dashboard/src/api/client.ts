// The GraphQL client of one session: a cache, the token, HTTP, and a socket for subscriptions.
import { authExchange } from '@urql/exchange-auth';
import { persistedExchange } from '@urql/exchange-persisted';
import { createClient } from 'graphql-ws';
import {
  cacheExchange,
  Client,
  fetchExchange,
  subscriptionExchange,
  type AnyVariables,
  type CombinedError,
  type TypedDocumentNode,
} from 'urql';
import hashes from 'virtual:document-hashes';
import type { TypedDocumentString } from '../gql/graphql';
import { HEADERS } from './send';
import * as session from './session';

/** A document with its types, as urql expects it. */
export const typed = <Result, Variables extends AnyVariables>(document: TypedDocumentString<Result, Variables>) =>
  document.toString() as unknown as TypedDocumentNode<Result, Variables>;

export const codeOf = (error: CombinedError | undefined): string | undefined =>
  error?.graphQLErrors.map(({ extensions }) => extensions?.['code']).find((code) => typeof code === 'string') as
    | string
    | undefined;

const nameOf = ({ definitions }: TypedDocumentNode<unknown, AnyVariables>) =>
  definitions.map((definition) => ('operation' in definition ? definition.name?.value : undefined)).find(Boolean) ?? '';

const isUnauthenticated = (error: CombinedError) =>
  codeOf(error) === 'UNAUTHENTICATED' || (error.response as Response | undefined)?.status === 401;

/** The state of the socket. */
type Listening = 'connecting' | 'open' | 'closed';

export interface Connection {
  client: Client;
  listening: () => Listening;
  onListening: (listener: () => void) => () => void;
  close: () => void;
}

const address = () => `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/graphql/ws`;

export const connect = (): Connection => {
  let listening: Listening = 'connecting';
  const listeners = new Set<() => void>();
  const become = (next: Listening) => {
    listening = next;
    for (const listener of listeners) listener();
  };
  const socket = createClient({
    url: address(),
    // The server closes the connection when its token expires, after 15 minutes.
    retryAttempts: Number.POSITIVE_INFINITY,
    retryWait: (retries) =>
      new Promise((resolve) => {
        setTimeout(resolve, Math.min(30_000, 500 * 2 ** Math.min(retries, 6)) * (0.75 + Math.random() / 2));
      }),
    shouldRetry: () => session.current().kind === 'in',
    connectionParams: async () => ({ authorization: `Bearer ${(await session.token()) ?? ''}` }),
    on: { connected: () => become('open'), closed: () => become('closed') },
  });
  const client = new Client({
    url: '/graphql',
    preferGetMethod: false,
    fetchOptions: { headers: HEADERS },
    exchanges: [
      cacheExchange,
      authExchange(async (utilities) => ({
        addAuthToOperation: (operation) => {
          const token = session.currentToken();
          return token ? utilities.appendHeaders(operation, { authorization: `Bearer ${token}` }) : operation;
        },
        willAuthError: () => !session.hasValidToken(),
        didAuthError: isUnauthenticated,
        refreshAuth: async () => {
          if (session.hasValidToken()) session.discard();
          // A user who is signed out sees the sign-in page. If the server cannot be reached, the request says so.
          await session.token().catch(() => null);
        },
      })),
      // Queries are sent by hash and with GET, so that the browser can revalidate a response it has cached. A server
      // that does not have the document, such as one of an earlier build, gets its text.
      persistedExchange({
        generateHash: async (_, document) => hashes[nameOf(document)] ?? '',
        preferGetForPersistedQueries: 'force',
      }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: ({ query, variables }) => ({
          subscribe: (sink) => ({
            unsubscribe: socket.subscribe(
              { query: query ?? '', variables: variables as Record<string, unknown> },
              {
                next: (value) => sink.next(value as Parameters<typeof sink.next>[0]),
                error: (error) => sink.error(error),
                complete: () => sink.complete(),
              },
            ),
          }),
        }),
      }),
    ],
  });
  return {
    client,
    listening: () => listening,
    onListening: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => void socket.dispose(),
  };
};
