// Who is signed in. The access token is here, in memory, for a quarter of an hour; the refresh token is in a
// cookie that no script can read, and is traded for the next pair by the server. What the tabs of a browser share
// is that one cookie, so they trade it one after the other: a refresh token that is used twice ends the session.
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
import { send, Unreachable } from './send';

interface Access {
  token: string;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/** `asking`: not known yet. `out`: nobody; `ended` says that somebody was, and has to sign in again. */
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

/** So long before its end a token is not used any more. */
const MARGIN = 30_000;
/** Remembers that somebody was signed in: says nothing but that. */
const WAS_IN = 'xboard.was-signed-in';

let access: Access | null = null;
let state: SessionState = { kind: 'asking' };
/** Goes up with each sign-in and change of store: what was asked before is not shown any more. */
let epoch = 0;
let refreshing: Promise<Access | null> | null = null;
const listeners = new Set<() => void>();
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('xboard-session');

const become = (next: SessionState) => {
  state = next;
  for (const listener of listeners) listener();
};

const isGood = (held: Access | null): held is Access => held !== null && held.expiresAt - MARGIN > Date.now();

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

/** One tab after the other, where the browser can arrange that. */
const alone = <T>(work: () => Promise<T>): Promise<T> =>
  'locks' in navigator
    ? (navigator.locks.request('xboard-session', work) as Promise<T>)
    : work();

const trade = (): Promise<Access | null> =>
  alone(async () => {
    // Another tab may have done it while this one waited.
    if (isGood(access)) return access;
    const { refreshSession } = await send(RefreshSessionDocument, {}, { outlivesThePage: true });
    if (refreshSession.session) {
      const next = take(refreshSession.session);
      if (state.kind !== 'in') become({ kind: 'in', epoch });
      return next;
    }
    leave(localStorage.getItem(WAS_IN) !== null);
    return null;
  });

/** A token that holds; null when nobody is signed in. Fails when the server does not answer. */
export const token = async (): Promise<string | null> => {
  if (isGood(access)) return access.token;
  if (state.kind === 'out') return null;
  refreshing ??= trade().finally(() => {
    refreshing = null;
  });
  return (await refreshing)?.token ?? null;
};

/** The token at hand, whether or not it still holds. */
export const heldToken = () => access?.token ?? null;
export const holds = () => isGood(access);

/** The token at hand was refused. */
export const distrust = () => {
  access = null;
};

/** Finds out whether somebody is signed in. */
export const begin = async () => {
  try {
    await token();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
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
  alone(async () => entered((await send(SignInDocument, { email, password })).login));

export const signUp = (input: SignUpMutationVariables['input']): Promise<Outcome> =>
  alone(async () => entered((await send(SignUpDocument, { input })).register));

export const signUpInstalled = (input: SignUpInstalledMutationVariables['input']): Promise<Outcome> =>
  alone(async () => entered((await send(SignUpInstalledDocument, { input })).registerInstalled));

/** Another session in place of the present one, which then has no use any more. */
const instead = (work: (held: string) => Promise<Parameters<typeof entered>[0]>): Promise<Outcome> =>
  alone(async () => {
    const held = access?.token ?? '';
    const payload = await work(held);
    const outcome = entered(payload);
    // It would end by itself one day; the cookie is the new one's already.
    if (payload.session) await send(SignOutDocument, {}, { token: held, withoutCookie: true }).catch(() => null);
    return outcome;
  });

export const switchStore = async (tenantId: string): Promise<Outcome> => {
  await token();
  return instead(async (held) => (await send(SwitchStoreDocument, { tenantId }, { token: held })).switchTenant);
};

export const connectStore = async (input: ConnectStoreMutationVariables['input']): Promise<Outcome> => {
  await token();
  return instead(async (held) => (await send(ConnectStoreDocument, { input }, { token: held })).connectShop);
};

export const claimStore = async (code: string): Promise<Outcome> => {
  await token();
  return instead(async (held) => (await send(ClaimStoreDocument, { code }, { token: held })).claimShop);
};

export const signOut = async () => {
  const held = await token().catch(() => null);
  await alone(async () => {
    if (held) await send(SignOutDocument, {}, { token: held });
  });
  channel?.postMessage({ kind: 'signed out' } satisfies Message);
  leave(false);
};

channel?.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  switch (data.kind) {
    case 'token?':
      // GraphiQL asks, which is a page of this server too.
      if (isGood(access)) channel.postMessage({ kind: 'token', access, epoch } satisfies Message);
      break;
    case 'token':
      if (state.kind === 'in' && isGood(data.access)) access = data.access;
      break;
    case 'changed':
      // Another user or another store: everything that is shown is somebody else's.
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
