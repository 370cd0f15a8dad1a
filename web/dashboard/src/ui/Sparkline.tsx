// A tiny chart of a figure. Screen readers skip it: the chart and its table have the same data.
interface Props {
  values: readonly (number | null)[];
}

const WIDTH = 100;
const HEIGHT = 28;

export const Sparkline = ({ values }: Props) => {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <svg className="spark" aria-hidden="true" />;
  const low = Math.min(0, ...known);
  const span = Math.max(...known) - low || 1;
  const points = values.flatMap((value, index) => {
    if (value === null) return [];
    const x = (index / (values.length - 1)) * WIDTH;
    return [`${x.toFixed(2)},${(HEIGHT - 2 - ((value - low) / span) * (HEIGHT - 4)).toFixed(2)}`];
  });
  const line = `M${points.join('L')}`;
  return (
    <svg className="spark" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <path className="area" d={`${line}L${WIDTH},${HEIGHT}L0,${HEIGHT}Z`} />
      <path className="line" d={line} />
    </svg>
  );
};
