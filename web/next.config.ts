import type { NextConfig } from 'next';

/** A static export: the server maps /runs/<id> to runs/[id].html, so that one process serves the API and the UI. */
const config: NextConfig = {
  output: 'export',
  // `npm run types` checks them, once and for the whole repository.
  typescript: { ignoreBuildErrors: true },
  // Its sources are TypeScript.
  transpilePackages: ['@gantry/plugin-kit'],
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
};

export default config;
