// The main chart: a figure over time. The comparison is dashed; the interval in progress is dotted. It is a slider for
// the keyboard and for screen readers.
import { useEffect, useRef, useState } from 'react';
import UPlot from 'uplot';
import type { FigureKind } from '../domain/figures';
import type { Formats } from '../domain/format';
import type { Point } from '../domain/series';
import { useIsDark } from './theme';

interface Props {
  title: string;
  kind: FigureKind;
  points: readonly Point[];
  formats: Formats;
}

const HEIGHT = 280;

const colours = () => {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string) => style.getPropertyValue(name).trim();
  return {
    line: of('--accent'),
    area: of('--accent-area'),
    compared: of('--compared'),
    grid: of('--grid'),
    text: of('--ink-3'),
    surface: of('--surface'),
  };
};

const FONT = '12px -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif';

/** The points that get a label, so that labels do not overlap. */
const labelled = (count: number, width: number, widthEach: number) => {
  const step = Math.max(1, Math.ceil((count * widthEach) / Math.max(1, width)));
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
};

const optionsOf = (
  { kind, points, formats }: Props,
  width: number,
  onPoint: (index: number | null) => void,
): UPlot.Options => {
  const colour = colours();
  const axis = { stroke: colour.text, font: FONT, ticks: { show: false }, grid: { show: false } };
  const room = kind === 'money' ? 64 : 48;
  const dot = { show: points.length === 1, size: 8, fill: colour.line };
  return {
    width,
    height: width < 480 ? 220 : HEIGHT,
    padding: [12, 24, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { setScale: false, x: false, y: false },
      points: { size: 9, width: 2, fill: colour.surface, stroke: colour.line, one: true },
    },
    scales: {
      x: { time: false, range: () => (points.length === 1 ? [-1, 1] : [0, points.length - 1]) },
      y: {
        range: (_, low, high) => {
          const [from, to] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
          // Without values the axis ends at four, so that the grid lines are whole numbers.
          return [from - (from < 0 ? (to - from) * 0.06 : 0), to === from ? 4 : to + (to - from) * 0.06];
        },
      },
    },
    axes: [
      {
        ...axis,
        size: 28,
        gap: 8,
        splits: () => labelled(points.length, width - room, 76),
        values: (_, splits) => splits.map((split) => points[split]?.short ?? ''),
      },
      {
        ...axis,
        size: room,
        gap: 8,
        space: 52,
        grid: { show: true, stroke: colour.grid, width: 1 },
        // Counts are whole numbers.
        ...(kind === 'count' && { incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6] }),
        values: (_, splits) => splits.map((split) => formats.short(kind, split)),
      },
    ],
    series: [
      {},
      { stroke: colour.compared, width: 1.5, dash: [5, 4], points: { show: false } },
      { stroke: colour.line, width: 2, fill: colour.area, points: dot },
      { stroke: colour.line, width: 2, dash: [2, 4], points: { show: (_, __, first, last) => last > first, filter: (plot, id, show) => (show ? [plot.data[id]!.length - 1] : null), size: 9, width: 2, fill: colour.surface, stroke: colour.line } },
    ],
    hooks: { setCursor: [(plot) => onPoint(plot.cursor.idx ?? null)] },
  };
};

const dataOf = (points: readonly Point[]): UPlot.AlignedData => {
  const finished = points.filter((point) => !point.unfinished).length;
  return [
    points.map((_, index) => index),
    points.map((point) => point.compared),
    points.map((point, index) => (index < finished || points.length === 1 ? point.value : null)),
    // From the last finished point to the one in progress.
    points.map((point, index) => (finished < points.length && points.length > 1 && index >= finished - 1 ? point.value : null)),
  ] as UPlot.AlignedData;
};

const describe = (point: Point, kind: FigureKind, formats: Formats) =>
  [
    `${point.long}${point.unfinished ? ', in progress' : ''}: ${formats.figure(kind, point.exact, true)}`,
    point.comparedLong && `${point.comparedLong}: ${formats.figure(kind, point.comparedExact, true)}`,
  ]
    .filter(Boolean)
    .join('; ');

const Tip = ({ point, kind, formats, left }: { point: Point; kind: FigureKind; formats: Formats; left: number }) => (
  <div className="tip" style={{ left: `${left}%`, translate: `-${left}% 0` }} aria-hidden="true">
    <p>
      <i className="now" /> {point.long}
      {point.unfinished && <em> so far</em>}
      <b>{formats.figure(kind, point.exact, true)}</b>
    </p>
    {point.comparedLong && (
      <p>
        <i className="then" /> {point.comparedLong}
        <b>{formats.figure(kind, point.comparedExact, true)}</b>
      </p>
    )}
  </div>
);

export const Chart = (props: Props) => {
  const { points, kind, formats, title } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<UPlot | null>(null);
  const [index, setIndex] = useState<number | null>(null);
  const dark = useIsDark();
  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const draw = (width: number) => {
      plot.current?.destroy();
      plot.current = new UPlot(optionsOf(props, width, setIndex), dataOf(points), element);
    };
    let drawn = 0;
    const observer = new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width > 0 && width !== drawn) {
        drawn = width;
        draw(width);
      }
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
    // The other properties change only together with these.
    // oxlint-disable-next-line exhaustive-deps
  }, [points, kind, dark]);
  const go = (to: number) => {
    const next = Math.max(0, Math.min(points.length - 1, to));
    setIndex(next);
    const drawn = plot.current;
    if (drawn) drawn.setCursor({ left: drawn.valToPos(next, 'x'), top: 0 }, false);
  };
  const point = index === null ? undefined : points[index];
  const last = points.length - 1;
  return (
    <div
      className="chart"
      role="slider"
      tabIndex={0}
      aria-label={`${title} over time`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, last)}
      aria-valuenow={index ?? Math.max(0, last)}
      aria-valuetext={describe(points[index ?? last] ?? EMPTY, kind, formats)}
      onFocus={(event) => {
        if (event.target.matches(':focus-visible')) go(index ?? last);
      }}
      onBlur={() => setIndex(null)}
      onKeyDown={(event) => {
        const steps: Record<string, number> = {
          ArrowLeft: (index ?? last) - 1,
          ArrowRight: (index ?? last) + 1,
          Home: 0,
          End: last,
        };
        const to = steps[event.key];
        if (to === undefined) return;
        event.preventDefault();
        go(to);
      }}
    >
      <div ref={place} className="plot" />
      {point && <Tip point={point} kind={kind} formats={formats} left={last ? ((index ?? 0) / last) * 100 : 50} />}
    </div>
  );
};

const EMPTY: Point = {
  short: '',
  long: '',
  exact: null,
  value: null,
  compared: null,
  comparedExact: null,
  comparedLong: null,
  unfinished: false,
};
