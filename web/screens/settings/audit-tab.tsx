import { useRefusal } from '../session/viewer.ts';
import { Empty } from '../../design/notices.tsx';
import { AuditList } from './audit-list.tsx';

/** What was done on this server and by whom, for whom that may be known. */
export function AuditTab() {
  const refusal = useRefusal('ADMIN');
  if (refusal === null) return <AuditList />;
  return (
    <Empty title="The audit log is for admins alone">
      <p>{refusal}</p>
      <p>What became of a run is on its own page, for everybody.</p>
    </Empty>
  );
}
