// Everything that the page shows, kept current: asked when the selection changes, when the store tells of a
// change, when a sync ends, when the reader comes back, and again after what failed.
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';
import { useQuery, useSubscription, type CombinedError } from 'urql';
import {
  ComparedSalesDocument,
  DashboardDocument,
  StoreChangedDocument,
  SyncProgressDocument,
  type DashboardQuery,
  type RunFragment,
  type SalesOverTimeFragment,
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
  // The session's own page takes over.
  if (code === 'UNAUTHENTICATED') return null;
  if (error.networkError && !code) return { kind: 'unreachable' };
  const field = extension(error, 'field');
  if (code === 'LIMIT_EXCEEDED' || (code === 'BAD_USER_INPUT' && field === 'interval')) return { kind: 'too-much' };
  const id = (error.response as Response | undefined)?.headers?.get('x-request-id') ?? null;
  return { kind: 'refused', message: error.graphQLErrors[0]?.message ?? 'Something went wrong.', id };
};

/** How soon to ask again after the first failure, the second… */
const pause = (failures: number) => Math.min(30, 2 ** Math.min(failures, 5));

/** The last answer stays while the next one is on its way. */
const useLast = <T,>(value: T | undefined): T | undefined => {
  const [last, setLast] = useState(value);
  if (value !== undefined && value !== last) setLast(value);
  return value ?? last;
};

/** Calls at most once a moment, and once more for what came in between. */
const useCalm = (work: () => void, moment: number) => {
  const latest = useRef(work);
  useEffect(() => {
    latest.current = work;
  });
  const state = useRef<{ timer: number; again: boolean }>({ timer: 0, again: false });
  useEffect(() => () => clearTimeout(state.current.timer), []);
  return useCallback(() => {
    const run = () => {
      latest.current();
      state.current.timer = window.setTimeout(() => {
        state.current.timer = 0;
        if (state.current.again) {
          state.current.again = false;
          run();
        }
      }, moment);
    };
    if (state.current.timer) state.current.again = true;
    else run();
  }, [moment]);
};

export interface Page {
  data: DashboardQuery | undefined;
  compared: SalesOverTimeFragment['ordersByDate'] | undefined;
  runs: RunFragment[];
  problem: Problem | null;
  /** Whether what is shown is not yet what was asked for. */
  waiting: boolean;
  live: boolean;
  again: () => void;
}

export const usePage = (connection: Connection, variables: Variables): Page => {
  // What was seen before is shown at once, and asked again: it may have changed meanwhile.
  const [answer, ask] = useQuery({
    query: typed(DashboardDocument),
    variables,
    requestPolicy: 'cache-and-network',
  });
  const again = useCallback(() => ask({ requestPolicy: 'network-only' }), [ask]);
  const calmly = useCalm(again, 1_500);

  const data = useLast(answer.data);
  const previous = data?.overview.previous?.range;
  const [comparison, askComparison] = useQuery({
    query: typed(ComparedSalesDocument),
    variables: useMemo(
      () => ({
        range: { between: { from: previous?.from ?? '', to: previous?.to ?? '' } },
        interval: variables.interval,
      }),
      [previous?.from, previous?.to, variables.interval],
    ),
    pause: !previous,
  });

  // What is pushed.
  const [pushed, setPushed] = useState<RunFragment | null>(null);
  const listening = useSyncExternalStore(connection.onListening, connection.listening);
  const [change] = useSubscription({ query: typed(StoreChangedDocument) });
  const [progress] = useSubscription({ query: typed(SyncProgressDocument) });
  useEffect(() => {
    if (change.data) calmly();
  }, [change.data, calmly]);
  useEffect(() => {
    const run = progress.data?.syncProgress;
    if (!run) return undefined;
    setPushed(run);
    if (!done(run)) return undefined;
    calmly();
    // What follows a sync, such as listening to the store, is done a moment later and not told.
    const timer = setTimeout(calmly, 5_000);
    return () => clearTimeout(timer);
  }, [progress.data, calmly]);
  // What happened while nobody listened is not told again.
  const wasOpen = useRef(false);
  useEffect(() => {
    if (listening === 'open' && wasOpen.current) calmly();
    if (listening === 'open') wasOpen.current = true;
  }, [listening, calmly]);

  const shown = useMemo(() => merged(data?.syncRuns.nodes ?? [], pushed), [data, pushed]);
  const busy = shown.some((run) => !done(run));
  const problem = problemOf(answer.error);

  // Without a socket: by asking. While a sync is under way, often.
  useEffect(() => {
    const seconds = listening === 'open' ? 60 : busy ? 2 : 30;
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') calmly();
    }, seconds * 1000);
    return () => clearInterval(timer);
  }, [listening, busy, calmly]);
  useEffect(() => {
    const back = () => {
      if (document.visibilityState === 'visible') calmly();
    };
    document.addEventListener('visibilitychange', back);
    window.addEventListener('online', back);
    return () => {
      document.removeEventListener('visibilitychange', back);
      window.removeEventListener('online', back);
    };
  }, [calmly]);

  // What failed for a while is asked again by itself.
  const failures = useRef(0);
  const passing = problem?.kind === 'unreachable' || problem?.kind === 'throttled';
  const { error } = answer;
  useEffect(() => {
    if (!passing) {
      failures.current = 0;
      return undefined;
    }
    failures.current += 1;
    const seconds = problem.kind === 'throttled' ? problem.seconds : pause(failures.current);
    const timer = setTimeout(again, seconds * 1000);
    return () => clearTimeout(timer);
    // Once for each error, not for each time the page is drawn.
    // oxlint-disable-next-line exhaustive-deps
  }, [error, passing]);

  // The comparison follows the page.
  const answered = answer.data;
  const comparedFor = useRef(answered);
  useEffect(() => {
    if (!answered || answered === comparedFor.current) return;
    comparedFor.current = answered;
    if (answered.overview.previous) askComparison({ requestPolicy: 'cache-and-network' });
  }, [answered, askComparison]);

  return {
    data,
    compared: previous ? comparison.data?.ordersByDate : undefined,
    runs: shown,
    problem,
    waiting: answer.fetching && !answer.data,
    live: listening === 'open',
    again,
  };
};
