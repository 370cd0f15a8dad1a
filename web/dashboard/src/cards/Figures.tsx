// The eight figures. Each selects the chart's figure, and shows its definition on hover.
import { useId, useState } from 'react';
import { toCsv } from '../domain/csv';
import { changeOf, drawn, FIGURES, valueOf, type Figure, type FigureName } from '../domain/figures';
import type { Formats } from '../domain/format';
import type { Variables } from '../domain/range';
import type { OverviewFragment, SalesOverTimeFragment } from '../gql/graphql';
import { Card } from '../ui/Card';
import { Delta } from '../ui/Delta';
import { Sparkline } from '../ui/Sparkline';

type Overview = OverviewFragment['overview'];
type Series = SalesOverTimeFragment['ordersByDate'];

interface TileProps {
  figure: Figure;
  overview: Overview;
  series: Series;
  formats: Formats;
  chosen: boolean;
  choose: (name: FigureName) => void;
}

const Tile = ({ figure, overview, series, formats, chosen, choose }: TileProps) => {
  const id = useId();
  const [dismissed, setDismissed] = useState(false);
  const now = valueOf(overview.metrics, figure.name);
  const before = overview.previous ? valueOf(overview.previous.metrics, figure.name) : null;
  const change = changeOf(figure, now, before);
  return (
    <li
      className={`tile ${dismissed ? 'dismissed' : ''}`}
      onPointerEnter={() => setDismissed(false)}
      onKeyDown={(event) => setDismissed(event.key === 'Escape')}
    >
      <button
        type="button"
        aria-pressed={chosen}
        aria-describedby={id}
        data-figure={figure.name}
        onClick={() => choose(figure.name)}
        onFocus={() => setDismissed(false)}
      >
        <span className="name">{figure.title}</span>
        <data className="value" value={now ?? ''}>
          {formats.figure(figure.kind, now)}
        </data>
        <span className="foot">
          {overview.previous ? (
            <>
              <Delta change={change} kind={figure.kind} formats={formats} />
              <span className="before">
                <span className="hidden">, before: </span>
                {formats.figure(figure.kind, before)}
              </span>
            </>
          ) : (
            <span className="before">{figure.kind === 'money' && formats.figure(figure.kind, now, true)}</span>
          )}
        </span>
        <Sparkline values={series.map(({ metrics }) => drawn(metrics, figure.name))} />
      </button>
      <p id={id} role="tooltip" className="definition">
        {figure.definition} {figure.kind === 'money' && <span>Exact: {formats.figure(figure.kind, now, true)}.</span>}
      </p>
    </li>
  );
};

interface Props {
  overview: Overview;
  series: Series;
  formats: Formats;
  variables: Variables;
  chosen: FigureName;
  choose: (name: FigureName) => void;
}

export const Figures = ({ overview, series, formats, variables, chosen, choose }: Props) => {
  const { range, previous } = overview;
  const sheet = () =>
    toCsv(
      ['figure', 'from', 'to', 'value', ...(previous ? ['previous from', 'previous to', 'previous value'] : [])],
      FIGURES.map(({ name, title }) => [
        title,
        range.from,
        range.to,
        valueOf(overview.metrics, name),
        ...(previous ? [previous.range.from, previous.range.to, valueOf(previous.metrics, name)] : []),
      ]),
    );
  return (
    <Card
      title="Figures"
      of="figures"
      className="figures"
      variables={variables}
      note={
        <>
          {formats.days(range)}
          {previous && <span className="muted"> vs {formats.days(previous.range)}</span>}
        </>
      }
      sheet={{ name: `figures-${range.from}-${range.to}`, text: sheet }}
    >
      <ul className="tiles">
        {FIGURES.map((figure) => (
          <Tile
            key={figure.name}
            figure={figure}
            overview={overview}
            series={series}
            formats={formats}
            chosen={chosen === figure.name}
            choose={choose}
          />
        ))}
      </ul>
    </Card>
  );
};
