import { Head, Html, Main, NextScript } from 'next/document';

/** The page around every screen. Nothing in it is written out as a script: the server's policy forbids that. */
export default function Document() {
  return (
    <Html lang="en">
      <Head>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
        <meta name="referrer" content="no-referrer" />
        {/* Before the first paint, so that the wrong theme never flashes: not deferred. */}
        <script src="/theme.js" />
      </Head>
      <body>
        <noscript>This page needs JavaScript.</noscript>
        <Main />
        <NextScript />
      </body>
    </Html>
  );
}
