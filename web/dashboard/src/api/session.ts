// The session. The access token is valid for 15 minutes and stays in memory. The refresh token is in an HttpOnly
// cookie, which all tabs share. A refresh token that is used twice ends the session, so tabs refresh one at a time.
import {
  ClaimStoreDocument,
  ConnectStoreDocument,
  RefreshSessionDocument,
  SignInDocument,
  SignOutDocument,
  SignUpDocument,
  SignUpInstalledDocument,
  SwitchStoreDocument,
  type ConnectStoreMutationVariables,
  type SignUpInstalledMutationVariables,
  type ProblemFragment,
  type SignUpMutationVariables,
  type TokensFragment,
} from '../gql/graphql';
import { send } from './send';

interface Access {
  token: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** `asking`: not known yet. `out`: signed out; `ended` if a session ended without signing out. */
export type SessionState =
  | { kind: 'asking' }
  | { kind: 'unreachable' }
  | { kind: 'out'; ended: boolean }
  | { kind: 'in'; epoch: number };

type Message =
  | { kind: 'token?' }
  | { kind: 'token'; access: Access; epoch: number }
  | { kind: 'changed' }
  | { kind: 'signed out' };

/** A token is replaced this long before it expires. */
const MARGIN = 30_000;
/** Records that a user was signed in on this browser, and nothing else. */
const WAS_IN = 'xboard.was-signed-in';

let access: Access | null = null;
let state: SessionState = { kind: 'asking' };
/** Increases with each sign-in and change of store, so that responses for the previous one are not shown. */
let epoch = 0;
let refreshing: Promise<Access | null> | null = null;
const listeners = new Set<() => void>();
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('xboard-session');

const become = (next: SessionState) => {
  state = next;
  for (const listener of listeners) listener();
};

const isValid = (held: Access | null): held is Access => held !== null && held.expiresAt - MARGIN > Date.now();

const take = ({ token, expiresAt }: TokensFragment) => {
  access = { token, expiresAt: Date.parse(expiresAt) };
  localStorage.setItem(WAS_IN, 'yes');
  channel?.postMessage({ kind: 'token', access, epoch } satisfies Message);
  return access;
};

const leave = (ended: boolean) => {
  access = null;
  localStorage.removeItem(WAS_IN);
  become({ kind: 'out', ended });
};

/** Runs in one tab at a time, if the browser has Web Locks. */
const exclusively = <T>(work: () => Promise<T>): Promise<T> =>
  'locks' in navigator
    ? (navigator.locks.request('xboard-session', work) as Promise<T>)
    : work();

const refresh = (): Promise<Access | null> =>
  exclusively(async () => {
    // Another tab may have refreshed while this one waited.
    if (isValid(access)) return access;
    const { refreshSession } = await send(RefreshSessionDocument, {}, { keepalive: true });
    if (refreshSession.session) {
      const next = take(refreshSession.session);
      if (state.kind !== 'in') become({ kind: 'in', epoch });
      return next;
    }
    leave(localStorage.getItem(WAS_IN) !== null);
    return null;
  });

/** A valid token; null when signed out. Fails when the server cannot be reached. */
export const token = async (): Promise<string | null> => {
  if (isValid(access)) return access.token;
  if (state.kind === 'out') return null;
  refreshing ??= refresh().finally(() => {
    refreshing = null;
  });
  return (await refreshing)?.token ?? null;
};

/** The current token, valid or not. */
export const currentToken = () => access?.token ?? null;
export const hasValidToken = () => isValid(access);

/** Discards a token that the server rejected. */
export const discard = () => {
  access = null;
};

/** Finds out whether a user is signed in. */
export const begin = async () => {
  try {
    await token();
  } catch {
    // The server may also respond with an error, for example while its database restarts.
    become({ kind: 'unreachable' });
  }
};

const enter = (tokens: TokensFragment) => {
  epoch += 1;
  take(tokens);
  channel?.postMessage({ kind: 'changed' } satisfies Message);
  become({ kind: 'in', epoch });
};

type Outcome = readonly ProblemFragment[];

const entered = (payload: { session: TokensFragment | null; userErrors: Outcome }): Outcome => {
  if (payload.session) enter(payload.session);
  return payload.userErrors;
};

export const signIn = (email: string, password: string): Promise<Outcome> =>
  exclusively(async () => entered((await send(SignInDocument, { email, password })).login));

export const signUp = (input: SignUpMutationVariables['input']): Promise<Outcome> =>
  exclusively(async () => entered((await send(SignUpDocument, { input })).register));

export const signUpInstalled = (input: SignUpInstalledMutationVariables['input']): Promise<Outcome> =>
  exclusively(async () => entered((await send(SignUpInstalledDocument, { input })).registerInstalled));

/** Replaces the current session by another one and ends it. */
const replaceSession = (work: (held: string) => Promise<Parameters<typeof entered>[0]>): Promise<Outcome> =>
  exclusively(async () => {
    const held = access?.token ?? '';
    const payload = await work(held);
    const outcome = entered(payload);
    // The cookie already belongs to the new session.
    if (payload.session) await send(SignOutDocument, {}, { token: held, withoutCookie: true }).catch(() => null);
    return outcome;
  });

export const switchStore = async (tenantId: string): Promise<Outcome> => {
  await token();
  return replaceSession(async (held) => (await send(SwitchStoreDocument, { tenantId }, { token: held })).switchTenant);
};

export const connectStore = async (input: ConnectStoreMutationVariables['input']): Promise<Outcome> => {
  await token();
  return replaceSession(async (held) => (await send(ConnectStoreDocument, { input }, { token: held })).connectShop);
};

export const claimStore = async (code: string): Promise<Outcome> => {
  await token();
  return replaceSession(async (held) => (await send(ClaimStoreDocument, { code }, { token: held })).claimShop);
};

export const signOut = async () => {
  const held = await token().catch(() => null);
  await exclusively(async () => {
    if (held) await send(SignOutDocument, {}, { token: held });
  });
  channel?.postMessage({ kind: 'signed out' } satisfies Message);
  leave(false);
};

channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  switch (data.kind) {
    case 'token?':
      // GraphiQL, another page of this server, requests it.
      if (isValid(access)) channel.postMessage({ kind: 'token', access, epoch } satisfies Message);
      break;
    case 'token':
      if (state.kind === 'in' && isValid(data.access)) access = data.access;
      break;
    case 'changed':
      // Another user or another store: the content of this tab is no longer theirs.
      access = null;
      epoch += 1;
      become({ kind: 'asking' });
      void begin();
      break;
    case 'signed out':
      leave(false);
      break;
  }
});

export const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};
export const current = () => state;
