// GraphiQL with a field for the access token. It connects to its own server only.
import './workers.js';
import 'graphiql/style.css';
import './page.css';
import { GraphiQL } from 'graphiql';
import { useCallback, useEffect, useRef, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { examples } from './examples.js';

const STORAGE_KEY = 'xboard.token';

// Finds the access token in the response of a sign-in mutation.
const newToken = (data) =>
  Object.values(data ?? {})
    .map((payload) => payload?.session?.token)
    .find((token) => typeof token === 'string');

// The query that another page of this server opens here. Browsers do not send the part after the #.
const hash = new URLSearchParams(location.hash.slice(1));
const query = hash.get('query') ?? undefined;
const variables = hash.get('variables') ?? undefined;
if (query) history.replaceState(null, '', location.pathname);

// Requests the access token of a dashboard that is open in another tab.
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
  // Stored for this tab only.
  const [token, setToken] = useState(() => sessionStorage.getItem(STORAGE_KEY) ?? '');
  const [note, setNote] = useState('');
  const latest = useRef(token);
  useEffect(() => {
    latest.current = token;
    sessionStorage.setItem(STORAGE_KEY, token);
  }, [token]);

  // Only when opened from the dashboard: otherwise the user may want another account here.
  useEffect(() => (query ? fromDashboard(setToken) : undefined), []);

  const fetcher = useCallback(async ({ query, variables, operationName }, { headers } = {}) => {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        accept: 'application/graphql-response+json, application/json;q=0.9',
        'content-type': 'application/json',
        ...(latest.current && { authorization: `Bearer ${latest.current}` }),
        ...headers,
      },
      body: JSON.stringify({ query, variables, operationName }),
    });
    const answer = await response.json();
    const signedIn = newToken(answer.data);
    if (signedIn) setToken(signedIn);
    if (operationName !== 'IntrospectionQuery') {
      setNote(response.status === 401 ? 'The token is invalid or has expired.' : answer.extensions?.cost ? cost(answer.extensions.cost) : '');
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
            placeholder="Run the Login mutation, or paste a token"
            value={token}
            onChange={(event) => setToken(event.target.value.trim())}
          />
        </label>
        <button type="button" onClick={() => setToken('')}>Clear</button>
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
