// Keeps everything that the dashboard shows current. Two operations are sent: one for the account, one for the
// figures. Both are sent again when a sync ends, when the reader comes back to the page, after an error, and at
// intervals; the figures also when the selection changes and when the shop's data changes.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useQuery, useSubscription, type CombinedError } from 'urql';
import {
  AccountDocument,
  FiguresDocument,
  StoreChangedDocument,
  SyncProgressDocument,
  type AccountQuery,
  type FiguresQuery,
  type RunFragment,
} from '../gql/graphql';
import { done, merged } from '../domain/runs';
import type { Variables } from '../domain/range';
import { codeOf, typed, type Connection } from './client';

export type Problem =
  | { kind: 'unreachable' }
  | { kind: 'throttled'; seconds: number }
  | { kind: 'too-much' }
  | { kind: 'refused'; message: string; id: string | null };

const extension = (error: CombinedError, name: string): unknown =>
  error.graphQLErrors.map(({ extensions }) => extensions?.[name]).find((value) => value !== undefined);

const problemOf = (error: CombinedError | undefined): Problem | null => {
  if (!error) return null;
  const code = codeOf(error);
  if (code === 'THROTTLED') return { kind: 'throttled', seconds: Number(extension(error, 'retryAfterSeconds') ?? 5) };
  // The app shows the sign-in page.
  if (code === 'UNAUTHENTICATED') return null;
  if (error.networkError && !code) return { kind: 'unreachable' };
  const field = extension(error, 'field');
  if (code === 'LIMIT_EXCEEDED' || (code === 'BAD_USER_INPUT' && field === 'interval')) return { kind: 'too-much' };
  const id = (error.response as Response | undefined)?.headers?.get('x-request-id') ?? null;
  return { kind: 'refused', message: error.graphQLErrors[0]?.message ?? 'Something went wrong.', id };
};

/** How many seconds to wait before the next attempt, by the number of failures. */
const delayAfter = (failures: number) => Math.min(30, 2 ** Math.min(failures, 5));

/** Returns the last defined value, so that the page keeps its content while the next response loads. */
const useLatestValue = <T,>(value: T | undefined): T | undefined => {
  const [latest, setLatest] = useState(value);
  if (value !== undefined && value !== latest) setLatest(value);
  return value ?? latest;
};

/** Calls `work` at most once per interval. Calls during an interval are made up for by one call at its end. */
const useThrottled = (work: () => void, interval: number) => {
  const latest = useRef(work);
  useEffect(() => {
    latest.current = work;
  });
  const state = useRef<{ timer: number; pending: boolean }>({ timer: 0, pending: false });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return useCallback(() => {
    const run = () => {
      latest.current();
      state.current.timer = window.setTimeout(() => {
        state.current.timer = 0;
        if (state.current.pending) {
          state.current.pending = false;
          run();
        }
      }, interval);
    };
    if (state.current.timer) state.current.pending = true;
    else run();
  }, [interval]);
};

/** The figures, with the variables that they were requested with. */
export interface Figures {
  data: FiguresQuery;
  variables: Variables;
}

export interface Page {
  account: AccountQuery | undefined;
  figures: Figures | undefined;
  runs: RunFragment[];
  /** Whether the first import is still running, so that the figures would be incomplete. */
  importing: boolean;
  problem: Problem | null;
  /** Whether the figures on the page are not yet those of the selection. */
  waiting: boolean;
  live: boolean;
  refresh: () => void;
  refreshAccount: () => void;
}

export const usePage = (connection: Connection, variables: Variables): Page => {
  // A cached response is shown at once while the current one loads.
  const requestPolicy = 'cache-and-network';
  const [account, requestAccount] = useQuery({ query: typed(AccountDocument), requestPolicy });
  const [figures, requestFigures] = useQuery({ query: typed(FiguresDocument), variables, requestPolicy });
  const refreshAccount = useCallback(() => requestAccount({ requestPolicy: 'network-only' }), [requestAccount]);
  const refreshFigures = useCallback(() => requestFigures({ requestPolicy: 'network-only' }), [requestFigures]);
  const refresh = useCallback(() => {
    refreshAccount();
    refreshFigures();
  }, [refreshAccount, refreshFigures]);
  const throttledRefresh = useThrottled(refresh, 1_500);
  const throttledRefreshFigures = useThrottled(refreshFigures, 1_500);

  const latestAccount = useLatestValue(account.data);
  const { data, operation } = figures;
  const latestFigures = useLatestValue(
    useMemo(
      () => (data && operation ? { data, variables: operation.variables as Variables } : undefined),
      [data, operation],
    ),
  );

  // Pushed events.
  const [pushed, setPushed] = useState<RunFragment | null>(null);
  const listening = useSyncExternalStore(connection.onListening, connection.listening);
  const [change] = useSubscription({ query: typed(StoreChangedDocument) });
  const [progress] = useSubscription({ query: typed(SyncProgressDocument) });
  useEffect(() => {
    if (change.data) throttledRefreshFigures();
  }, [change.data, throttledRefreshFigures]);
  useEffect(() => {
    const run = progress.data?.syncProgress;
    if (!run) return undefined;
    setPushed(run);
    if (!done(run)) return undefined;
    throttledRefresh();
    // Some work follows a sync without an event, such as registering webhooks.
    const timer = setTimeout(throttledRefresh, 5_000);
    return () => clearTimeout(timer);
  }, [progress.data, throttledRefresh]);
  // Events are not repeated after a reconnect.
  const wasOpen = useRef(false);
  useEffect(() => {
    if (listening === 'open' && wasOpen.current) throttledRefresh();
    if (listening === 'open') wasOpen.current = true;
  }, [listening, throttledRefresh]);

  const runs = useMemo(() => merged(latestAccount?.syncRuns.nodes ?? [], pushed), [latestAccount, pushed]);
  const busy = runs.some((run) => !done(run));
  const error = figures.error ?? account.error;
  const problem = problemOf(error);

  // The account may report the end of the first import before the figures of that moment have loaded.
  const isFirstImport = latestAccount?.me?.tenant.shop.lastSyncedAt === null && runs.length > 0;
  const [importing, setImporting] = useState(false);
  if (isFirstImport && !importing) setImporting(true);
  if (!isFirstImport && importing && !figures.fetching && !figures.stale) setImporting(false);

  // Without a socket the page polls: often while a sync is running.
  useEffect(() => {
    const seconds = listening === 'open' ? 60 : busy ? 2 : 30;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') throttledRefresh();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [listening, busy, throttledRefresh]);
  useEffect(() => {
    const back = () => {
      if (document.visibilityState === 'visible') throttledRefresh();
    };
    document.addEventListener('visibilitychange', back);
    window.addEventListener('online', back);
    return () => {
      document.removeEventListener('visibilitychange', back);
      window.removeEventListener('online', back);
    };
  }, [throttledRefresh]);

  // Transient errors are retried.
  const failures = useRef(0);
  const transient = problem?.kind === 'unreachable' || problem?.kind === 'throttled';
  useEffect(() => {
    if (!transient) {
      failures.current = 0;
      return undefined;
    }
    failures.current += 1;
    const seconds = problem.kind === 'throttled' ? problem.seconds : delayAfter(failures.current);
    const timer = setTimeout(refresh, seconds * 1000);
    return () => clearTimeout(timer);
    // Once per error, not once per render.
    // oxlint-disable-next-line exhaustive-deps
  }, [error, transient]);

  const isCurrent = JSON.stringify(latestFigures?.variables) === JSON.stringify(variables);
  return {
    account: latestAccount,
    figures: latestFigures,
    runs,
    importing,
    problem,
    waiting: !isCurrent && !problem,
    live: listening === 'open',
    refresh,
    refreshAccount,
  };
};
