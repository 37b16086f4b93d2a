import { isSame, type Config } from '../../design/schema-draft.ts';
import { configOf } from './choice-form.tsx';
import type { SwapPlan } from './swap.ts';

/** What another scheduler would change: before and after, and how it would have decided what was decided lately. */
export function SwapPlanView({ plan }: { readonly plan: SwapPlan }) {
  const { before, after, decisionsReviewed, placementsReviewed, placementsThen, differenceCount, queueLength } = plan;
  return (
    <div className="stack" role="status">
      <div className="scroll">
        <table className="plan-table">
          <thead>
            <tr>
              <th>
                <span className="visually-hidden">What</span>
              </th>
              <th>Now</th>
              <th>Then</th>
            </tr>
          </thead>
          <tbody>
            {linesOf(plan).map(([name, now, then]) => (
              <tr key={name} className={now === then ? undefined : 'is-changed'}>
                <th scope="row" className="mono">
                  {name}
                </th>
                <td className="mono">{now}</td>
                <td className="mono">
                  {now === then ? <span className="faint">the same</span> : <strong>{then}</strong>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {before.scheduler === after.scheduler && isSame(before.config, after.config) ? (
        <p>Nothing would change.</p>
      ) : null}
      {plan.problem === null ? null : (
        <div className="notice tone-bad">
          <div>
            <strong>It could not be asked.</strong> {plan.problem}
          </div>
        </div>
      )}
      <p>{reviewText(decisionsReviewed, placementsReviewed, placementsThen, differenceCount)}</p>
      <p>
        {queueLength === null
          ? 'Another server runs this pool; what waits there is offered to it.'
          : queueLength === 0
            ? 'Nothing waits at the moment. What runs goes on.'
            : `${counted(queueLength, 'task run waits', 'task runs wait')}: they keep their places and are offered to it. What runs goes on.`}
      </p>
    </div>
  );
}

const counted = (count: number, one: string, many: string): string =>
  `${count.toLocaleString()} ${count === 1 ? one : many}`;

function reviewText(reviewed: number, placed: number, then: number, different: number): string {
  if (reviewed === 0) return 'Nothing has been decided lately that it could be asked again.';
  const asked = `Asked ${counted(reviewed, 'decision', 'of the last decisions')} again, which placed ${counted(placed, 'task run', 'task runs')}:`;
  const sent =
    different === 0 ? 'it would have sent none of them elsewhere' : `it would have sent ${different} elsewhere`;
  return `${asked} ${sent}${then === placed ? '.' : `, and placed ${then} in all.`}`;
}

/** The scheduler and every property of both configs, with what it is and would be. */
function linesOf({ before, after }: SwapPlan): readonly (readonly [name: string, now: string, then: string])[] {
  const now = configOf(before.config);
  const then = configOf(after.config);
  const names = [...new Set([...Object.keys(now), ...Object.keys(then)])].sort();
  return [
    ['scheduler', before.scheduler, after.scheduler],
    ...names.map((name) => [name, valueText(now, name), valueText(then, name)] as const),
  ];
}

const valueText = (config: Config, name: string): string =>
  name in config ? JSON.stringify(config[name]) : '(default)';
