import { useState, type MouseEvent } from 'react';
import { clockText } from './time.ts';

export interface ChartPoint {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number;
}

interface AreaChartProps {
  readonly title: string;
  readonly points: readonly ChartPoint[];
  /** The top of the scale; what is higher raises it. */
  readonly top: number;
  readonly text: (value: number) => string;
}

const WIDTH = 300;
const HEIGHT = 64;

/** One figure over time, with what it is now. The pointer tells what it was. */
export function AreaChart({ title, points, top, text }: AreaChartProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const last = points.at(-1);
  const begin = points[0]?.at ?? 0;
  const span = Math.max(1, (last?.at ?? 0) - begin);
  const highest = Math.max(top, ...points.map(({ value }) => value), 1e-9);
  const xOf = ({ at }: ChartPoint): number => (WIDTH * (at - begin)) / span;
  const yOf = ({ value }: ChartPoint): number => HEIGHT - (HEIGHT - 4) * (value / highest) - 1;
  const line = points.map((point) => `${xOf(point).toFixed(1)} ${yOf(point).toFixed(1)}`).join('L');
  const shown = pointed === null ? last : points[pointed];
  const point = ({ clientX, currentTarget }: MouseEvent): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    const at = begin + (span * (clientX - left)) / width;
    const next = points.findIndex((each) => each.at >= at);
    setPointed(next < 0 ? points.length - 1 : next);
  };
  return (
    <figure className="area-chart">
      <figcaption className="spread">
        <span>{title}</span>
        <strong>{shown === undefined ? '–' : text(shown.value)}</strong>
      </figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`${title}: ${last === undefined ? 'nothing is known yet' : text(last.value)} now, ${text(highest)} at the top`}
        onMouseMove={point}
        onMouseLeave={() => setPointed(null)}
      >
        {points.length > 1 ? (
          <>
            <path className="area-fill" d={`M0 ${HEIGHT}L${line}L${WIDTH} ${HEIGHT}Z`} />
            <path className="area-line" d={`M${line}`} />
          </>
        ) : null}
        {pointed !== null && shown ? <path className="area-pointer" d={`M${xOf(shown)} 0V${HEIGHT}`} /> : null}
      </svg>
      <span className="spread faint">
        <span>{points.length > 1 ? clockText(begin) : 'Figures come every five seconds.'}</span>
        <span>{shown === undefined ? '' : clockText(shown.at)}</span>
      </span>
    </figure>
  );
}
