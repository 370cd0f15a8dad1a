// What the keyboard does. Single letters get in the way of some readers, so they can be switched off.
import { useEffect, useRef, useState } from 'react';
import { COMPARISONS, intervalsFor, length, moved, type Days, type Selection } from '../domain/range';
import type { Interval } from '../gql/graphql';

const KEPT = 'xboard.keys';
const areOn = () => localStorage.getItem(KEPT) !== 'off';

const KEYS: readonly (readonly [string, string])[] = [
  ['d', 'Days'],
  ['w', 'Weeks'],
  ['m', 'Months'],
  ['c', 'The next comparison: none, previous period, previous year'],
  ['[', 'As many days before'],
  [']', 'As many days behind'],
  ['t', 'The last 30 days'],
  ['?', 'This list'],
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
    <dialog ref={dialog} aria-label="Keyboard" onClose={close}>
      <div className="inside">
        <header>
          <h2>Keyboard</h2>
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
            <dd>In the chart: the point before, the next one</dd>
          </div>
        </dl>
        <label className="check">
          <input
            type="checkbox"
            checked={on}
            onChange={(event) => {
              setOn(event.target.checked);
              localStorage.setItem(KEPT, event.target.checked ? 'on' : 'off');
            }}
          />
          Single letters act
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
