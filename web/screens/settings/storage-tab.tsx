import { Storage, type StorageData } from '../../client/operations.ts';
import { useQuery } from '../../client/use-query.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { bytesText } from '../../design/quantity.ts';
import { Ago, Until } from '../../design/times.tsx';
import { countText, keptText, ruleText } from './kept-text.ts';

type View = StorageData['storage'];

/** What this server keeps, what it takes, by which rules it is deleted, and what goes next. */
export function StorageTab() {
  const { data, fault, reload } = useQuery(Storage, {});
  if (fault !== null) return <FaultNotice fault={fault} retry={reload} />;
  if (data === null) return <Loading what="what is stored" />;
  const { storage, retentionPreview } = data;
  return (
    <div className="stack">
      <div className="spread token-bar">
        <span className="faint">
          Database {bytesText(storage.databaseBytes)}, data folder {bytesText(storage.folderBytes)}
        </span>
        <button type="button" className="button" onClick={reload}>
          Look again
        </button>
      </div>
      <Rules storage={storage} />
      <Preview preview={retentionPreview} />
      <Kinds storage={storage} />
    </div>
  );
}

function Rules({ storage }: { readonly storage: View }) {
  const { retention, lastSweep, nextSweepAt, oldestRunAt, pendingDeletions } = storage;
  return (
    <section className="panel" aria-labelledby="retention">
      <header className="panel-head">
        <h2 id="retention">What is kept</h2>
      </header>
      <div className="panel-body stack">
        {retention.keepsAllByUpgrade ? (
          <p className="notice" role="note">
            This database is from before runs were deleted, so all of them are kept. Set <code>retentionAge</code> and{' '}
            <code>retentionRuns</code> in the configuration, for example to 30d and 10000.
          </p>
        ) : null}
        <dl className="facts">
          <dt>Runs</dt>
          <dd>
            {keptText(retention.age, retention.runs)}
            {retention.settings.map((setting) => (
              <p className="hint" key={`${setting.pool} ${setting.pipeline}`}>
                {ruleText(setting)}
              </p>
            ))}
          </dd>
          <dt>Audit records</dt>
          <dd>{retention.audit === 'never' ? 'for ever' : `for ${retention.audit}`}</dd>
          <dt>Oldest run</dt>
          <dd>{oldestRunAt === null ? 'none' : <Ago at={oldestRunAt} />}</dd>
          <dt>Last sweep</dt>
          <dd>
            {lastSweep === null ? (
              'none since this server started'
            ) : (
              <>
                <Ago at={lastSweep.at} />, {lastSweep.problem ?? `${countText(lastSweep.runs, 'run')} deleted`}
              </>
            )}
            {pendingDeletions > 0 ? (
              <p className="hint">The rows of {countText(pendingDeletions, 'run')} are being deleted.</p>
            ) : null}
          </dd>
          <dt>Next sweep</dt>
          <dd>{nextSweepAt === null ? 'by another server' : <Until at={nextSweepAt} />}</dd>
        </dl>
      </div>
    </section>
  );
}

function Preview({ preview }: { readonly preview: StorageData['retentionPreview'] }) {
  if (preview.length === 0) return <p className="faint">The next sweep would delete no run.</p>;
  return (
    <div className="panel scroll" role="region" aria-label="What the next sweep deletes" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th>The next sweep deletes runs of</th>
            <th className="number">Runs</th>
            <th>The last of them ended</th>
          </tr>
        </thead>
        <tbody>
          {preview.map(({ pipeline, runs, newestFinishedAt }) => (
            <tr key={pipeline}>
              <td>{pipeline}</td>
              <td className="number">{runs.toLocaleString('en')}</td>
              <td>
                <Ago at={newestFinishedAt} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Kinds({ storage: { kinds, isEstimate, reusableBytes } }: { readonly storage: View }) {
  return (
    <section>
      <div className="panel scroll" role="region" aria-label="What the database holds" tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th>Kind</th>
              <th className="number">{isEstimate ? 'Rows, about' : 'Rows'}</th>
              <th className="number">{isEstimate ? 'Size, about' : 'Size'}</th>
            </tr>
          </thead>
          <tbody>
            {kinds.map(({ kind, rows, bytes }) => (
              <tr key={kind}>
                <td>{kind.toLowerCase()}</td>
                <td className="number">{rows.toLocaleString('en')}</td>
                <td className="number">{bytesText(bytes)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="hint">
        {bytesText(reusableBytes)} of the database are free: new rows take them before the file grows.
      </p>
    </section>
  );
}
