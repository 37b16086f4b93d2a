import { forgetWanted } from '../../client/reach.ts';
import { useAway, useWantedAddress } from '../../client/use-away.ts';
import { clockText } from '../../design/time.ts';

/** Says that the server is away, since when, and what goes on when it is back. */
export function AwayNotice() {
  const awaySince = useAway();
  const wanted = useWantedAddress();
  if (awaySince === null) return null;
  return (
    <div className="away notice tone-warn" role="status" aria-label="The server">
      <div>
        <strong>The server is not reachable.</strong>{' '}
        {wanted === null ? (
          <>What you see is as it was at {clockText(awaySince)}; it goes on by itself as soon as the server is back.</>
        ) : (
          <>
            <span className="mono">{wanted}</span> opens as soon as it is back.
          </>
        )}
      </div>
      {wanted === null ? null : (
        <button className="button" type="button" onClick={forgetWanted}>
          Stay here
        </button>
      )}
    </div>
  );
}
