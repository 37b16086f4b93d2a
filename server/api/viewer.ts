import type { Role as RoleName } from '../auth/roles.ts';
import type { Viewer } from '../auth/viewer.ts';
import { builder } from './builder.ts';
import { enumOf } from './vocabulary.ts';

export const Role = enumOf<RoleName>('Role', 'What a token may do. Each but NODE may do what those before it may.', {
  VIEWER: 'See pipelines, runs, logs, nodes, pools and plugins.',
  OPERATOR: 'Trigger, cancel, retry, pause and resume runs; pause and resume pipelines.',
  AUTHOR: 'Apply and delete pipelines.',
  ADMIN: 'Cordon nodes, delete runs, set what is kept, make and revoke tokens, read the audit log.',
  NODE: 'For node agents alone.',
});

const ViewerRef = builder.objectRef<Viewer>('Viewer').implement({
  role: 'VIEWER',
  description: 'Who asks.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The token’s name.' }),
    role: t.expose('role', { type: Role, description: 'What the token may do.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the token ends to be accepted; null for never.',
    }),
  }),
});

builder.queryFields((t) => ({
  viewer: t.field({
    type: ViewerRef,
    role: 'VIEWER',
    description: 'Who you are to this server.',
    resolve: (_, _args, { viewer }) => viewer,
  }),
}));
