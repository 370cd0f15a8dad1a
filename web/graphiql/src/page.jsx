// GraphiQL with a place for the token. Asks no host but the one it came from.
import './workers.js';
import 'graphiql/style.css';
import './page.css';
import { GraphiQL } from 'graphiql';
import { useCallback, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { examples } from './examples.js';

const KEPT = 'xboard.token';

// The token that a sign-in answers with, wherever in the answer it is.
const newToken = (data) =>
  Object.values(data ?? {})
    .map((payload) => payload?.session?.token)
    .find((token) => typeof token === 'string');

// What another page of this server wants to be shown. It stands behind the #, which is sent to nobody.
const wanted = new URLSearchParams(location.hash.slice(1));
const query = wanted.get('query') ?? undefined;
const variables = wanted.get('variables') ?? undefined;
if (query) history.replaceState(null, '', location.pathname);

// A dashboard that is open in another tab says which token it has.
const fromDashboard = (take) => {
  const channel = new BroadcastChannel('xboard-session');
  channel.addEventListener('message', ({ data }) => {
    if (data.kind === 'token') take(data.access.token);
  });
  channel.postMessage({ kind: 'token?' });
  return () => channel.close();
};

const cost = ({ requestedQueryCost, actualQueryCost }) => `cost ${actualQueryCost ?? requestedQueryCost}`;

function Page() {
  // For this tab of the browser only: gone when it is closed.
  const [token, setToken] = useState(() => sessionStorage.getItem(KEPT) ?? '');
  const [note, setNote] = useState('');
  const present = useRef(token);
  useEffect(() => {
    present.current = token;
    sessionStorage.setItem(KEPT, token);
  }, [token]);

  // Only for who came from there: others may want to be somebody else here.
  useEffect(() => (query ? fromDashboard(setToken) : undefined), []);

  const fetcher = useCallback(async ({ query, variables, operationName }, { headers } = {}) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...(present.current && { authorization: `Bearer ${present.current}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables, operationName }),
    });
    const answer = await response.json();
    const signedIn = newToken(answer.data);
    if (signedIn) setToken(signedIn);
    if (operationName !== 'IntrospectionQuery') {
      setNote(response.status === 401 ? 'the token does not hold' : answer.extensions?.cost ? cost(answer.extensions.cost) : '');
    }
    return answer;
  }, []);

  return (
    <main>
      <header>
        <strong>XBoard GraphiQL</strong>
        <output>{note}</output>
        <label>
          Token
          <input
            type="password"
            autoComplete="off"
            spellCheck={false}
            placeholder="sign in by mutation, or paste one"
            value={token}
            onChange={(event) => setToken(event.target.value.trim())}
          />
        </label>
        <button type="button" onClick={() => setToken('')}>Forget</button>
      </header>
      <GraphiQL
        fetcher={fetcher}
        defaultTabs={query ? undefined : examples}
        initialQuery={query}
        initialVariables={variables}
        defaultEditorToolsVisibility="variables"
      />
    </main>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
