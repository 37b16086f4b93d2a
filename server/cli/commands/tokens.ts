import { payloadOf, type UnionMember } from '../client.ts';
import type { Command } from '../command.ts';
import { EXIT_CODES } from '../exit-code.ts';
import { agoText } from '../time-text.ts';

interface TokenView {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly prefix: string;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt?: string | null;
  readonly lastUsedAt?: string | null;
}

const ROLES = ['viewer', 'operator', 'author', 'admin', 'node'] as const;

export const createToken: Command = {
  name: 'tokens create',
  summary: 'Makes a token and prints it, this once.',
  details: 'Only its SHA-256 is stored: who loses it makes another.',
  arguments: [{ name: 'name', summary: 'Whom or what it is for; runs and audit records bear it.' }],
  options: [
    { flags: '--role <role>', summary: 'What it may do.', choices: ROLES, default: 'viewer' },
    { flags: '--expires-in <duration>', summary: 'When it ends to be accepted: 90d, 12h. Never when absent.' },
  ],
  examples: [
    { command: 'gantry tokens create ci --role operator --expires-in 90d', meaning: 'a token for a pipeline of CI' },
  ],
  async run({ arguments: [name = ''], options, context }) {
    const expiresIn = options.text('expiresIn');
    const role = options.text('role')?.toUpperCase();
    const input = { name, role, ...(expiresIn === undefined ? {} : { expiresIn }) };
    const { createToken: answer } = await context
      .connect()
      .ask<{ readonly createToken: UnionMember }>('create-token', { input });
    const created = payloadOf<UnionMember & { readonly secret: string; readonly token: TokenView }>(
      answer,
      'CreateTokenPayload',
    );
    context.output.result({ ...created.token, secret: created.secret }, () => [created.secret]);
    context.output.note('This is the only time that it is shown.');
    return EXIT_CODES.SUCCEEDED.code;
  },
};

export const listTokens: Command = {
  name: 'tokens list',
  summary: 'Lists tokens by their first characters.',
  examples: [{ command: 'gantry tokens list', meaning: 'who may do what, and when they were last seen' }],
  async run({ context }) {
    const { output } = context;
    const { tokens } = await context.connect().ask<{ readonly tokens: readonly TokenView[] }>('tokens');
    const time = (at: string | null | undefined): string =>
      at === null || at === undefined ? '' : output.rendering === 'HUMAN' ? agoText(at, context.now()) : at;
    output.result(tokens, () =>
      output.table<TokenView>(
        [
          { heading: 'id', value: (token) => token.id },
          { heading: 'name', value: (token) => token.name },
          { heading: 'role', value: (token) => token.role },
          { heading: 'begins', value: (token) => `${token.prefix}…` },
          { heading: 'created', value: (token) => time(token.createdAt) },
          { heading: 'last used', value: (token) => time(token.lastUsedAt) },
          { heading: 'expires', value: (token) => token.expiresAt },
          { heading: 'revoked', value: (token) => time(token.revokedAt) },
        ],
        tokens,
        'No tokens.',
      ),
    );
    return EXIT_CODES.SUCCEEDED.code;
  },
};

export const revokeToken: Command = {
  name: 'tokens revoke',
  summary: 'Revokes a token: from now on it is not accepted, and its subscriptions end.',
  arguments: [{ name: 'id', summary: 'The id of the token.' }],
  examples: [{ command: 'gantry tokens revoke 019aa1c8-…', meaning: 'when it was lost' }],
  async run({ arguments: [id = ''], context }) {
    const { revokeToken: answer } = await context
      .connect()
      .ask<{ readonly revokeToken: UnionMember }>('revoke-token', { input: { id } });
    const revoked = payloadOf<UnionMember & { readonly id: string }>(
      answer,
      'RevokeTokenPayload',
      'gantry tokens list shows them.',
    );
    context.output.result({ id: revoked.id }, () => [`${revoked.id}\trevoked`]);
    return EXIT_CODES.SUCCEEDED.code;
  },
};
