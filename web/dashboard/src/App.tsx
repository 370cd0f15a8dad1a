// Chooses the page: loading, unreachable, signed out, or signed in.
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import { Provider } from 'urql';
import { Redirect, Route, Switch, useLocation, useSearchParams } from 'wouter';
import { connect } from './api/client';
import { begin, current, subscribe } from './api/session';
import { Claim } from './pages/Claim';
import { Connect } from './pages/Connect';
import { Dashboard } from './pages/Dashboard';
import { Settings } from './pages/Settings';
import { SignIn } from './pages/SignIn';
import { SignUp } from './pages/SignUp';
import { Message } from './ui/Message';
import { Splash } from './ui/Splash';

/** The path to open after sign-in. Only paths of this site are accepted. */
const back = (search: URLSearchParams) => {
  const next = search.get('next') ?? '/';
  return /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-') ? next : '/';
};

const SignedIn = () => {
  const connection = useMemo(connect, []);
  const [search] = useSearchParams();
  useEffect(() => connection.close, [connection]);
  return (
    <Provider value={connection.client}>
      <Switch>
        <Route path="/">
          <Dashboard connection={connection} />
        </Route>
        <Route path="/claim">
          <Claim signedIn />
        </Route>
        <Route path="/connect">
          <Connect />
        </Route>
        <Route path="/settings">
          <Settings />
        </Route>
        <Route>
          <Redirect to={back(search)} replace />
        </Route>
      </Switch>
    </Provider>
  );
};

const SignedOut = ({ ended }: { ended: boolean }) => {
  const [path] = useLocation();
  const wanted = `${path}${location.search}`;
  const next = path === '/' && !location.search ? '' : `?next=${encodeURIComponent(wanted)}`;
  return (
    <Switch>
      <Route path="/sign-in">
        <SignIn ended={ended} />
      </Route>
      <Route path="/sign-up">
        <SignUp />
      </Route>
      <Route path="/claim">
        <Claim signedIn={false} />
      </Route>
      <Route>
        <Redirect to={`/sign-in${next}`} replace />
      </Route>
    </Switch>
  );
};

export const App = () => {
  const state = useSyncExternalStore(subscribe, current);
  switch (state.kind) {
    case 'asking':
      return <Splash />;
    case 'unreachable':
      return (
        <main className="alone">
          <Message tone="bad" title="Can’t reach the server">
            <p>You are still signed in. Check your connection and try again.</p>
            <button type="button" className="button" onClick={() => void begin()}>
              Try again
            </button>
          </Message>
        </main>
      );
    case 'out':
      return <SignedOut ended={state.ended} />;
    case 'in':
      return <SignedIn key={state.epoch} />;
  }
};
