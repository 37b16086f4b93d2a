import { useRouter } from 'next/router';
import { useEffect, useState, type ReactNode } from 'react';
import { Viewer } from '../../client/operations.ts';
import { openSession, sessionToken, watchSession } from '../../client/session.ts';
import { useQuery } from '../../client/use-query.ts';
import { FaultNotice, Loading } from '../../design/notices.tsx';
import { Shell } from '../shell/shell.tsx';
import { SignIn } from './sign-in.tsx';
import { ViewerContext } from './viewer.ts';

/** Shows what is inside to who is signed in, and everybody else the way in. */
export function Session({ children }: { readonly children: ReactNode }) {
  const [token, setToken] = useState<string | null | undefined>(undefined);
  const router = useRouter();
  useEffect(() => {
    openSession();
    setToken(sessionToken());
    return watchSession(() => setToken(sessionToken()));
  }, []);
  // What was exported knows neither who comes nor, on a page with a name in its path, where.
  if (token === undefined || !router.isReady) return <div className="cover" />;
  if (token === null) return <SignIn />;
  return <Inside key={token}>{children}</Inside>;
}

function Inside({ children }: { readonly children: ReactNode }) {
  const { data, fault, reload } = useQuery(Viewer, {});
  if (fault) {
    return (
      <div className="cover">
        <FaultNotice fault={fault} retry={reload} />
      </div>
    );
  }
  if (!data) return <Loading what="your session" />;
  return (
    <ViewerContext value={data.viewer}>
      <Shell>{children}</Shell>
    </ViewerContext>
  );
}
