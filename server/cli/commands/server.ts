import type { Command } from '../command.ts';
import { connectionTo, loginLink, serveUntilInterrupted, startHere } from '../running-server.ts';

export const server: Command = {
  name: 'server',
  summary: 'Serves until SIGTERM or Ctrl-C.',
  details:
    'The first start makes an admin token and prints a link to sign in. The token is kept in the data folder, ' +
    'readable for this user only. A second signal stops at once, which loses nothing that was acknowledged.',
  takesServerSettings: true,
  examples: [
    { command: 'gantry server', meaning: 'on 127.0.0.1:4000, with everything in .gantry' },
    { command: 'gantry server --port 0 --data-dir /var/lib/gantry', meaning: 'on any free port' },
    {
      command: 'GANTRY_DATABASE_URL=mysql://gantry:secret@db/gantry gantry server',
      meaning: 'with MariaDB or MySQL',
    },
  ],
  async run({ context }) {
    const { output } = context;
    const { config } = context.config('SERVER');
    const running = await startHere(config);
    // Before anybody can know that it listens: a signal from then on ends it in good order.
    const serving = serveUntilInterrupted(running, context);
    // A log that is collected must not hold a token: only a terminal, and the first start, are shown one.
    const showsToken = running.firstStart || output.rendering === 'HUMAN';
    const connection = connectionTo(running, config);
    const login = loginLink(showsToken ? connection : { ...connection, token: null });
    output.item({ type: 'server.listening', url: running.url, login }, () => `Gantry listens on ${running.url}`);
    if (output.rendering !== 'JSON') output.line(`Sign in: ${login}`);
    return serving;
  },
};
