import { builder } from './builder.ts';
import type { Finding } from './context.ts';
import { tooMany } from './errors.ts';

const FindingStatus = builder.enumType('FindingStatus', {
  description: 'How bad a finding is.',
  values: {
    OK: { description: 'Nothing to do.' },
    WARNING: { description: 'It works, and should be looked at.' },
    FAILURE: { description: 'It loses work or keeps a server from starting.' },
  } as const,
});

const FindingRef = builder.objectRef<Finding>('Finding').implement({
  role: 'ADMIN',
  description: 'What one check of the data folder or the database found.',
  fields: (t) => ({
    check: t.exposeString('check', { description: 'What was checked: `disk space`.' }),
    status: t.expose('status', { type: FindingStatus, description: 'How bad it is.' }),
    message: t.exposeString('message', { description: 'What was found.' }),
    remedy: t.exposeString('remedy', { nullable: true, description: 'What to do; null where there is nothing to do.' }),
  }),
});

builder.queryFields((t) => ({
  diagnosis: t.field({
    type: [FindingRef],
    role: 'ADMIN',
    description:
      'Examines this server’s data folder and database, as `gantry doctor` does, in a thread of its own. ' +
      'Refused while a backup or another examination is under way.',
    resolve: async (_, _args, { ports }) => {
      const findings = await ports.maintenance.examine();
      if (findings === null) throw tooMany('A backup or another examination is under way. Try again when it is done.');
      return [...findings];
    },
  }),
}));
