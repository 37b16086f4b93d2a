import { useEffect, useMemo, useRef, useState, type ReactNode } from 'react';
import { BOX, layoutOf, type GraphLayout, type GraphTask } from './layout.ts';

interface TaskGraphProps {
  readonly tasks: readonly GraphTask[];
  /** What a task's box shows. */
  readonly box: (key: string) => ReactNode;
  /** Class names for a task's box. */
  readonly lookOf?: (key: string) => string;
  readonly chosen?: string | null;
  readonly choose?: (key: string) => void;
}

interface Sight {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const MARGIN = 24;
/** Beyond the edge of what is seen, so that slow scrolling shows no gaps. Pixels. */
const BEYOND = 400;
const ZOOMS = [0.3, 0.45, 0.65, 0.85, 1, 1.25] as const;

/** The tasks of a pipeline and what they need. Only what is in sight is on the page. */
export function TaskGraph({ tasks, box, lookOf, chosen = null, choose }: TaskGraphProps) {
  const shape = tasks.map(({ key, needs }) => `${key}<${needs.join()}`).join(';');
  // The same shape has the same layout.
  const layout = useMemo(() => layoutOf(tasks), [shape]);
  const scroll = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState(1);
  const sight = useSight(scroll, zoom, layout);
  useEffect(() => {
    const { clientWidth = 0, clientHeight = 0 } = scroll.current ?? {};
    const fitting = Math.min((clientWidth - 2 * MARGIN) / layout.width, (clientHeight - 2 * MARGIN) / layout.height);
    setZoom(ZOOMS.findLast((each) => each <= Math.min(1, Math.max(fitting, 0.65))) ?? 1);
  }, [layout]);
  const seen = layout.nodes.flatMap((node, at) =>
    node.x + BOX.width >= sight.left &&
    node.x <= sight.right &&
    node.y + BOX.height >= sight.top &&
    node.y <= sight.bottom
      ? [at]
      : [],
  );
  const step = (by: number): void => {
    const at = ZOOMS.findIndex((each) => each === zoom);
    setZoom(ZOOMS[Math.min(Math.max(at + by, 0), ZOOMS.length - 1)]!);
  };
  return (
    <div className="graph">
      <div ref={scroll} className="graph-scroll" role="region" aria-label="Graph of the tasks" tabIndex={0}>
        <div
          className="graph-size"
          style={{ width: layout.width * zoom + 2 * MARGIN, height: layout.height * zoom + 2 * MARGIN }}
        >
          <div className="graph-plane" style={{ transform: `translate(${MARGIN}px, ${MARGIN}px) scale(${zoom})` }}>
            <svg width={layout.width} height={layout.height} className="graph-edges" aria-hidden="true">
              <path d={edgesIn(layout, sight)} />
            </svg>
            {seen.map((at) => {
              const { key, x, y } = layout.nodes[at]!;
              const look = `graph-box ${lookOf?.(key) ?? ''}${key === chosen ? ' is-selected' : ''}`;
              const place = { transform: `translate(${x}px, ${y}px)`, width: BOX.width, height: BOX.height };
              return choose ? (
                <button key={key} type="button" className={look} style={place} onClick={() => choose(key)}>
                  {box(key)}
                </button>
              ) : (
                <div key={key} className={look} style={place}>
                  {box(key)}
                </div>
              );
            })}
          </div>
        </div>
      </div>
      <div className="graph-zoom">
        <button type="button" className="button" onClick={() => step(-1)} aria-label="Smaller">
          −
        </button>
        <button type="button" className="button" onClick={() => step(1)} aria-label="Larger">
          +
        </button>
      </div>
    </div>
  );
}

/** What of the plane is in sight, in its own pixels. */
function useSight(scroll: React.RefObject<HTMLDivElement | null>, zoom: number, layout: GraphLayout): Sight {
  const [sight, setSight] = useState<Sight>({ left: 0, top: 0, right: 2_000, bottom: 1_200 });
  useEffect(() => {
    const element = scroll.current;
    if (element === null) return undefined;
    let frame: number | null = null;
    const look = (): void => {
      frame = null;
      setSight({
        left: (element.scrollLeft - MARGIN - BEYOND) / zoom,
        top: (element.scrollTop - MARGIN - BEYOND) / zoom,
        right: (element.scrollLeft + element.clientWidth + BEYOND) / zoom,
        bottom: (element.scrollTop + element.clientHeight + BEYOND) / zoom,
      });
    };
    const later = (): void => {
      frame ??= requestAnimationFrame(look);
    };
    later();
    const sized = new ResizeObserver(later);
    sized.observe(element);
    element.addEventListener('scroll', later, { passive: true });
    return () => {
      if (frame !== null) cancelAnimationFrame(frame);
      sized.disconnect();
      element.removeEventListener('scroll', later);
    };
  }, [scroll, zoom, layout]);
  return sight;
}

/** Curves from the right of what is needed to the left of what needs it, as one path: cheap however many there are. */
function edgesIn({ nodes, edges }: GraphLayout, sight: Sight): string {
  const parts: string[] = [];
  for (const [from, to] of edges) {
    const one = nodes[from]!;
    const other = nodes[to]!;
    const [x1, y1] = [one.x + BOX.width, one.y + BOX.height / 2];
    const [x2, y2] = [other.x, other.y + BOX.height / 2];
    if (x2 < sight.left || x1 > sight.right || Math.max(y1, y2) < sight.top || Math.min(y1, y2) > sight.bottom)
      continue;
    const bend = Math.max(24, (x2 - x1) / 2);
    parts.push(`M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`);
  }
  return parts.join('');
}
