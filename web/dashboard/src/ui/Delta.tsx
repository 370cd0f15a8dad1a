import type { Change, FigureKind } from '../domain/figures';
import type { Formats } from '../domain/format';

interface Props {
  change: Change | null;
  kind: FigureKind;
  formats: Formats;
}

const ARROWS = { up: '▲', down: '▼', none: '' };
const WORDS = { up: 'up', down: 'down', none: 'unchanged' };

export const Delta = ({ change, kind, formats }: Props) => {
  if (!change) return null;
  const text = change.by === null ? 'new' : change.direction === 'none' ? 'no change' : formats.change(kind, change.by);
  return (
    <span className={`change ${change.tone}`}>
      <span aria-hidden="true">{ARROWS[change.direction]}</span> <span className="hidden">{WORDS[change.direction]} </span>
      {text}
    </span>
  );
};
