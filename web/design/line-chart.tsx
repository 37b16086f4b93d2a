import { useState, type MouseEvent } from 'react';

export interface Series {
  readonly name: string;
  /** In the order of `at`. */
  readonly points: readonly { readonly at: number; readonly value: number }[];
}

interface LineChartProps {
  readonly title: string;
  readonly series: readonly Series[];
  readonly valueText: (value: number) => string;
  readonly timeText: (at: number) => string;
}

const WIDTH = 520;
const HEIGHT = 150;
const TICKS = [0, 0.5, 1];
/** Told apart without colour, too: each has a colour and a pattern of dashes, in this order. */
const LOOKS = [
  ['var(--busy)', ''],
  ['var(--bad)', '7 3'],
  ['var(--good)', '2 3'],
  ['var(--held)', '9 3 2 3'],
  ['var(--warn)', '4 2'],
  ['var(--ink-soft)', '1 2'],
] as const;

const lookOf = (index: number): { readonly stroke: string; readonly strokeDasharray: string } => {
  const [stroke, strokeDasharray] = LOOKS[index % LOOKS.length]!;
  return { stroke, strokeDasharray };
};

/** Several lines over the same time. The pointer tells what each was. */
export function LineChart({ title, series, valueText, timeText }: LineChartProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const end = Math.max(1, ...series.flatMap(({ points }) => points.map(({ at }) => at)));
  const top = Math.max(1e-9, ...series.flatMap(({ points }) => points.map(({ value }) => value)));
  const point = ({ clientX, currentTarget }: MouseEvent): void => {
    const { left, width } = currentTarget.getBoundingClientRect();
    setPointed((end * (clientX - left)) / width);
  };
  const valueAt = ({ points }: Series, at: number): number | null =>
    points.findLast((each) => each.at <= at)?.value ?? null;
  return (
    <figure className="line-chart">
      <figcaption>
        <strong>{title}</strong> <span className="faint">{pointed === null ? '' : `after ${timeText(pointed)}`}</span>
      </figcaption>
      <div className="line-plot">
        <span className="line-axis faint" aria-hidden="true">
          {TICKS.toReversed().map((part) => (
            <span key={part}>{valueText(top * part)}</span>
          ))}
        </span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}, over ${timeText(end)}: ${series.map(({ name, points }) => `${name} at most ${valueText(Math.max(0, ...points.map(({ value }) => value)))}`).join(', ')}`}
          onMouseMove={point}
          onMouseLeave={() => setPointed(null)}
        >
          {TICKS.map((part) => (
            <path key={part} className="line-grid" d={`M0 ${HEIGHT * part}H${WIDTH}`} />
          ))}
          {series.map(({ name, points }, index) => (
            <path
              key={name}
              className="line-line"
              {...lookOf(index)}
              d={points
                .map(({ at, value }, step) => {
                  const [x, y] = [((WIDTH * at) / end).toFixed(1), (HEIGHT - (HEIGHT * value) / top).toFixed(1)];
                  return step === 0 ? `M${x} ${y}` : `H${x}V${y}`;
                })
                .join('')}
            />
          ))}
          {pointed === null ? null : <path className="line-grid" d={`M${(WIDTH * pointed) / end} 0V${HEIGHT}`} />}
        </svg>
        <span />
        <span className="spread faint">
          <span>0</span>
          <span>{timeText(end / 2)}</span>
          <span>{timeText(end)}</span>
        </span>
      </div>
      <ul className="line-legend">
        {series.map((each, index) => {
          const value = pointed === null ? null : valueAt(each, pointed);
          return (
            <li key={each.name}>
              <svg width="26" height="8" aria-hidden="true">
                <path className="line-line" d="M0 4H26" {...lookOf(index)} />
              </svg>
              {each.name} {value === null ? '' : <strong>{valueText(value)}</strong>}
            </li>
          );
        })}
      </ul>
    </figure>
  );
}
