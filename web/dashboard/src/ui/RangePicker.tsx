// Which days, and what they are compared with.
import { useState } from 'react';
import type { Formats } from '../domain/format';
import { COMPARISONS, isDay, PRESETS, title, type Days, type Selection } from '../domain/range';
import { Calendar, Down } from './icons';
import { Menu } from './Menu';

interface Props {
  selection: Selection;
  /** The resolved days of the selection. */
  days: Days | undefined;
  today: string;
  formats: Formats;
  choose: (change: Partial<Selection>) => void;
}

const Custom = ({ days, today, apply }: { days: Days | undefined; today: string; apply: (days: Days) => void }) => {
  const [from, setFrom] = useState(days?.from ?? today);
  const [to, setTo] = useState(days?.to ?? today);
  const wrong = !isDay(from) || !isDay(to) ? 'Enter both days.' : from > to ? 'The start is after the end.' : '';
  return (
    <form
      className="custom"
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) apply({ from, to });
      }}
    >
      <label>
        From
        <input type="date" value={from} onChange={(event) => setFrom(event.target.value)} />
      </label>
      <label>
        To
        <input type="date" value={to} onChange={(event) => setTo(event.target.value)} />
      </label>
      <button type="submit" className="button strong" disabled={wrong !== ''}>
        Apply
      </button>
      <p className="wrong" role="status">
        {wrong}
      </p>
    </form>
  );
};

export const RangePicker = ({ selection, days, today, formats, choose }: Props) => {
  const preset = 'preset' in selection.range ? selection.range.preset : null;
  return (
    <div className="ranges">
      <Menu
        className="button"
        panelClassName="days"
        label={
          <>
            <Calendar />
            <span className="chosen">{title(selection, formats.days)}</span>
            <Down />
          </>
        }
      >
        {(close) => (
          <>
            <ul className="actions">
              {PRESETS.map(([name, text]) => (
                <li key={name}>
                  <button
                    type="button"
                    aria-pressed={name === preset}
                    onClick={() => {
                      choose({ range: { preset: name }, interval: null });
                      close();
                    }}
                  >
                    {text}
                  </button>
                </li>
              ))}
            </ul>
            <Custom
              days={days}
              today={today}
              apply={(chosen) => {
                choose({ range: { days: chosen }, interval: null });
                close();
              }}
            />
          </>
        )}
      </Menu>
      <label className="compare">
        <span className="hidden">Compare with</span>
        <select
          value={selection.compare ?? ''}
          disabled={preset === 'ALL_TIME'}
          onChange={(event) => {
            const chosen = COMPARISONS.find(([name]) => (name ?? '') === event.target.value);
            choose({ compare: chosen?.[0] ?? null });
          }}
        >
          {COMPARISONS.map(([name, text]) => (
            <option key={text} value={name ?? ''}>
              {text}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
};
