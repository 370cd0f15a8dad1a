// One operation over HTTP, without a cache: for signing in and out.
import type { TypedDocumentString } from '../gql/graphql';

/** The server did not answer, or not with GraphQL. */
export class Unreachable extends Error {}

/** The server answered with an error of the operation. */
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
  // Refresh tokens go into the cookie and never into an answer.
  'xboard-session': 'cookie',
};

interface Wishes {
  token?: string;
  /** Whether the cookie stays out of it. */
  withoutCookie?: boolean;
  /** Whether the request goes on when the page is closed meanwhile. */
  outlivesThePage?: boolean;
}

export const send = async <Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
  { token, outlivesThePage = false, withoutCookie = false }: Wishes = {},
): Promise<Result> => {
  let body: { data?: Result | null; errors?: { message: string; extensions?: { code?: string } }[] };
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      keepalive: outlivesThePage,
      headers: {
        ...(withoutCookie ? ACCEPT : HEADERS),
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: document.toString(), variables }),
    });
    body = await response.json();
  } catch {
    throw new Unreachable('The server does not answer.');
  }
  const [error] = body.errors ?? [];
  if (error) throw new Refused(error.message, error.extensions?.code);
  if (!body.data) throw new Unreachable('The server does not answer.');
  return body.data;
};
