// Shows the query of a card, to read and copy.
import { useEffect, useRef, useState } from 'react';
import { explorer } from './explorer';
import { inExplorer, type CardQuery } from '../domain/queries';

const Copy = ({ text, label }: { text: string; label: string }) => {
  const [done, setDone] = useState('');
  return (
    <button
      type="button"
      className="button"
      onClick={() => {
        // Browsers allow writing to the clipboard on secure origins only.
        const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error('no clipboard'));
        written.then(
          () => setDone('Copied'),
          () => setDone('Select and copy manually'),
        );
        setTimeout(() => setDone(''), 2_000);
      }}
    >
      <span aria-live="polite">{done || label}</span>
    </button>
  );
};

interface Props {
  title: string;
  query: CardQuery;
  close: () => void;
}

export const QueryDialog = ({ title, query, close }: Props) => {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const variables = JSON.stringify(query.variables, null, 2);
  return (
    <dialog
      ref={dialog}
      className="query"
      aria-label={`Query of ${title}`}
      onClose={close}
      onClick={(event) => {
        // A click on the backdrop.
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div className="inside">
        <header>
          <h2>{title}</h2>
          <p>The GraphQL query of this card. Send it to <code>POST /graphql</code>.</p>
        </header>
        <pre tabIndex={0} aria-label="Query"><code>{query.query}</code></pre>
        {variables !== '{}' && (
          <>
            <h3>Variables</h3>
            <pre tabIndex={0} aria-label="Variables"><code>{variables}</code></pre>
          </>
        )}
        <footer>
          <Copy text={query.query} label="Copy query" />
          {variables !== '{}' && <Copy text={variables} label="Copy variables" />}
          {explorer() && (
            <a className="button" href={inExplorer(query)} target="_blank" rel="noreferrer">
              Open in GraphiQL
            </a>
          )}
          <button type="button" className="button strong" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </footer>
      </div>
    </dialog>
  );
};
