// The selected figure over time, as a chart and as a table.
import { useMemo, useState } from 'react';
import { toCsv } from '../domain/csv';
import { FIGURES, valueOf, type FigureName } from '../domain/figures';
import type { Formats } from '../domain/format';
import { intervalsFor, length, type Days, type Variables } from '../domain/range';
import { pointsOf } from '../domain/series';
import type { Interval, SalesOverTimeFragment } from '../gql/graphql';
import { Card } from '../ui/Card';
import { Chart } from '../ui/Chart';

type Series = SalesOverTimeFragment['ordersByDate'];

const NAMES: Partial<Record<Interval, string>> = { HOUR: 'Hour', DAY: 'Day', WEEK: 'Week', MONTH: 'Month' };

interface Props {
  name: FigureName;
  series: Series;
  days: Days;
  previous: Days | undefined;
  formats: Formats;
  variables: Variables;
  today: string;
  now: number;
  /** The interval of the selection: that of `variables` once the figures have loaded. */
  chosen: Interval;
  choose: (interval: Interval) => void;
}

export const SalesOverTime = (props: Props) => {
  const { name, series, days, previous, formats, variables, today, now, chosen, choose } = props;
  const [asTable, setAsTable] = useState(false);
  const figure = FIGURES.find((candidate) => candidate.name === name)!;
  const { interval } = variables;
  // Not recomputed with each tick of the clock.
  const points = useMemo(
    () => pointsOf(series, { figure: name, interval, formats, today, now }),
    // oxlint-disable-next-line exhaustive-deps
    [series, name, interval, formats, today],
  );
  const sheet = () =>
    toCsv(
      ['interval', ...FIGURES.map(({ title }) => title)],
      series.map((bucket) => [
        interval === 'HOUR' ? bucket.start : bucket.date,
        ...FIGURES.map((each) => valueOf(bucket.metrics, each.name)),
      ]),
    );
  const open = points.at(-1)?.unfinished;
  return (
    <Card
      title={`${figure.title} over time`}
      note={figure.definition}
      of="salesOverTime"
      className="main"
      variables={variables}
      sheet={{ name: `sales-by-${interval.toLowerCase()}-${days.from}-${days.to}`, text: sheet }}
      tools={
        <div className="segments" role="group" aria-label="Interval">
          {intervalsFor(length(days)).map((each) => (
            <button key={each} type="button" aria-pressed={each === chosen} onClick={() => choose(each)}>
              {NAMES[each]}
            </button>
          ))}
        </div>
      }
    >
      <Chart title={figure.title} kind={figure.kind} points={points} formats={formats} />
      <div className="key">
        <span>
          <i className="now" /> {formats.days(days)}
        </span>
        {previous && (
          <span>
            <i className="then" /> {formats.days(previous)}
          </span>
        )}
        {open && (
          <span>
            <i className="open" /> in progress
          </span>
        )}
        <button type="button" className="link" aria-expanded={asTable} onClick={() => setAsTable(!asTable)}>
          {asTable ? 'Hide table' : 'Show as table'}
        </button>
      </div>
      {asTable && (
        <div className="scroll" tabIndex={0} role="region" aria-label={`${figure.title} as a table`}>
          <table>
            <thead>
              <tr>
                <th scope="col">{NAMES[interval]}</th>
                <th scope="col" className="number">{figure.title}</th>
                {previous && <th scope="col">Compared with</th>}
                {previous && <th scope="col" className="number">{figure.title}</th>}
              </tr>
            </thead>
            <tbody>
              {points.map((point) => (
                <tr key={point.long}>
                  <th scope="row">
                    {point.long}
                    {point.unfinished && <span className="muted"> so far</span>}
                  </th>
                  <td className="number">{formats.figure(figure.kind, point.exact, true)}</td>
                  {previous && <td>{point.comparedLong ?? '–'}</td>}
                  {previous && <td className="number">{formats.figure(figure.kind, point.comparedExact, true)}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
};
