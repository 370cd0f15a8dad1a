// Keyboard shortcuts. Single keys can conflict with assistive technology, so they can be disabled.
import { useEffect, useRef, useState } from 'react';
import { COMPARISONS, intervalsFor, length, moved, type Days, type Selection } from '../domain/range';
import type { Interval } from '../gql/graphql';

const STORAGE_KEY = 'xboard.keys';
const areOn = () => localStorage.getItem(STORAGE_KEY) !== 'off';

const KEYS: readonly (readonly [string, string])[] = [
  ['d', 'Days'],
  ['w', 'Weeks'],
  ['m', 'Months'],
  ['c', 'Next comparison'],
  ['[', 'Previous period'],
  [']', 'Next period'],
  ['t', 'Last 30 days'],
  ['?', 'Show this list'],
];

const INTERVALS: Record<string, Interval> = { d: 'DAY', w: 'WEEK', m: 'MONTH' };

interface Options {
  selection: Selection;
  choose: (change: Partial<Selection>) => void;
  days: Days | undefined;
  help: () => void;
}

const act = (key: string, { selection, choose, days, help }: Options) => {
  const interval = INTERVALS[key];
  if (interval) {
    if (days && intervalsFor(length(days)).includes(interval)) choose({ interval });
    return;
  }
  switch (key) {
    case 'c': {
      const at = COMPARISONS.findIndex(([name]) => name === selection.compare);
      choose({ compare: COMPARISONS[(at + 1) % COMPARISONS.length]?.[0] ?? null });
      break;
    }
    case '[':
    case ']':
      if (days) choose({ range: { days: moved(days, key === '[' ? -1 : 1) }, interval: null });
      break;
    case 't':
      choose({ range: { preset: 'LAST_30_DAYS' }, interval: null });
      break;
    case '?':
      help();
      break;
  }
};

export const useKeys = (options: Options) => {
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      if (!areOn() || event.ctrlKey || event.metaKey || event.altKey) return;
      if (target.closest('input, select, textarea, dialog')) return;
      act(event.key, latest.current);
    };
    document.addEventListener('keydown', pressed);
    return () => document.removeEventListener('keydown', pressed);
  }, []);
};

export const KeyboardDialog = ({ close }: { close: () => void }) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const [on, setOn] = useState(areOn);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} aria-label="Keyboard shortcuts" onClose={close}>
      <div className="inside">
        <header>
          <h2>Keyboard shortcuts</h2>
        </header>
        <dl className="keys">
          {KEYS.map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
          <div>
            <dt>
              <kbd>←</kbd> <kbd>→</kbd>
            </dt>
            <dd>Previous or next point of the chart</dd>
          </div>
        </dl>
        <label className="check">
          <input
            type="checkbox"
            checked={on}
            onChange={(event) => {
              setOn(event.target.checked);
              localStorage.setItem(STORAGE_KEY, event.target.checked ? 'on' : 'off');
            }}
          />
          Enable single-key shortcuts
        </label>
        <footer>
          <button type="button" className="button strong" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </footer>
      </div>
    </dialog>
  );
};
