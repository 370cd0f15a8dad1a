// A card with a title and a menu: its query, and its data as CSV.
import { useId, useState, type ReactNode } from 'react';
import { download } from '../domain/csv';
import { inExplorer, queryOf, type CardName } from '../domain/queries';
import type { Variables } from '../domain/range';
import { explorer } from './explorer';
import { Code, More, Open, Save } from './icons';
import { Menu } from './Menu';
import { QueryDialog } from './QueryDialog';

export interface Sheet {
  /** The file's name, without the extension. */
  name: string;
  text: () => string;
}

interface Props {
  title: string;
  note?: ReactNode;
  of: CardName;
  variables: Variables;
  sheet?: Sheet | undefined;
  className?: string;
  tools?: ReactNode;
  children: ReactNode;
}

export const Card = ({ title, note, of, variables, sheet, className = '', tools, children }: Props) => {
  const id = useId();
  const [shown, setShown] = useState(false);
  const query = () => queryOf(of, variables);
  return (
    <section className={`card ${className}`} aria-labelledby={id}>
      <header>
        <div>
          <h2 id={id}>{title}</h2>
          {note && <p className="note">{note}</p>}
        </div>
        {tools}
        <Menu label={<More />} name={`${title}: query and data`}>
          {(close) => (
            <ul className="actions">
              <li>
                <button
                  type="button"
                  onClick={() => {
                    close();
                    setShown(true);
                  }}
                >
                  <Code /> Show the query
                </button>
              </li>
              {explorer() && (
                <li>
                  <a href={inExplorer(query())} target="_blank" rel="noreferrer" onClick={close}>
                    <Open /> Open in GraphiQL
                  </a>
                </li>
              )}
              {sheet && (
                <li>
                  <button
                    type="button"
                    onClick={() => {
                      close();
                      download(`${sheet.name}.csv`, sheet.text());
                    }}
                  >
                    <Save /> Download as CSV
                  </button>
                </li>
              )}
            </ul>
          )}
        </Menu>
      </header>
      {children}
      {shown && <QueryDialog title={title} query={query()} close={() => setShown(false)} />}
    </section>
  );
};
