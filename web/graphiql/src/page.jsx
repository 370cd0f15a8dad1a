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

const cost = ({ requestedQueryCost, actualQueryCost, throttleStatus }) =>
  `cost ${actualQueryCost ?? requestedQueryCost}` +
  (throttleStatus ? `, ${throttleStatus.currentlyAvailable} left` : '');

function Page() {
  // For this tab of the browser only: gone when it is closed.
  const [token, setToken] = useState(() => sessionStorage.getItem(KEPT) ?? '');
  const [note, setNote] = useState('');
  const present = useRef(token);
  useEffect(() => {
    present.current = token;
    sessionStorage.setItem(KEPT, token);
  }, [token]);

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
      <GraphiQL fetcher={fetcher} defaultTabs={examples} defaultEditorToolsVisibility="variables" />
    </main>
  );
}

createRoot(document.getElementById('page')).render(<Page />);
