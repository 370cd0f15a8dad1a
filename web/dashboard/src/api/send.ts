// Sends one operation over HTTP, without a cache: for signing in and out.
import type { TypedDocumentString } from '../gql/graphql';

/** There was no response, or one that is not GraphQL. */
export class Unreachable extends Error {}

/** The response has errors. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly code: string | undefined,
  ) {
    super(message);
  }
}

const ACCEPT = { accept: 'application/graphql-response+json, application/json;q=0.9' };
export const HEADERS = {
  ...ACCEPT,
  // The server puts refresh tokens into a cookie and not into the response.
  'xboard-session': 'cookie',
};

interface Options {
  token?: string;
  /** Whether to leave the session cookie as it is. */
  withoutCookie?: boolean;
  /** Whether the request continues when the page is closed. */
  keepalive?: boolean;
}

export const send = async <Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { token, keepalive = false, withoutCookie = false }: Options = {},
): Promise<Result> => {
  let body: { data?: Result | null; errors?: { message: string; extensions?: { code?: string } }[] };
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      keepalive,
      headers: {
        ...(withoutCookie ? ACCEPT : HEADERS),
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    body = await response.json();
  } catch {
    throw new Unreachable('Can’t reach the server.');
  }
  const [error] = body.errors ?? [];
  if (error) throw new Refused(error.message, error.extensions?.code);
  if (!body.data) throw new Unreachable('Can’t reach the server.');
  return body.data;
};
