import type { AppProps } from 'next/app';
import Head from 'next/head';
import { useEffect } from 'react';
import { keepProgram, keepScreensAtHand } from '../client/screens-at-hand.ts';
import { Session } from '../screens/session/session.tsx';
import '../design/tokens.css';
import '../design/base.css';
import '../design/state.css';
import '../design/parts.css';
import '../screens/screens.css';
import '../screens/pipelines/pipelines.css';
import '../screens/home/home.css';
import '../screens/log/log.css';
import '../screens/nodes/nodes.css';
import '../screens/plugins/plugins.css';
import '../screens/queue/queue.css';
import '../screens/schedulers/schedulers.css';
import '../screens/settings/settings.css';

/** Every screen, for whoever is signed in. */
export default function App({ Component, pageProps, router }: AppProps) {
  useEffect(() => {
    keepProgram();
    return keepScreensAtHand(router);
  }, [router]);
  return (
    <>
      <Head>
        <meta name="viewport" content="width=device-width, initial-scale=1" />
      </Head>
      <Session>
        <Component {...pageProps} />
      </Session>
    </>
  );
}
