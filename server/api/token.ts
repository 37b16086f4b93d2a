import type { CreatedToken } from '../auth/tokens.ts';
import type { Token } from '../store/store.ts';
import { builder } from './builder.ts';
import type { ApiContext } from './context.ts';
import { badInput, refusalType, resultType, type Refusal } from './errors.ts';
import { Role } from './viewer.ts';

const TokenRef = builder.objectRef<Token>('Token').implement({
  role: 'ADMIN',
  description: 'What lets somebody in. Only its hash is kept: nobody can read it again.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Its id; not the token itself.' }),
    name: t.exposeString('name', { description: 'Who or what it is for; unique.' }),
    role: t.expose('role', { type: Role, description: 'What it may do.' }),
    prefix: t.exposeString('prefix', { description: 'Its first characters, to tell tokens apart.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends; null for never.',
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When it was revoked.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to within a minute.',
    }),
  }),
});

const CreateTokenPayload = builder.objectRef<CreatedToken>('CreateTokenPayload').implement({
  role: 'ADMIN',
  description: 'The token is made.',
  fields: (t) => ({
    token: t.field({ type: TokenRef, description: 'What is kept of it.', resolve: ({ token }) => token }),
    secret: t.exposeString('secret', { description: 'The token itself. Shown this once; keep it safe.' }),
  }),
});
const TokenNameTakenRef = refusalType('TokenNameTaken', 'There is a token of this name that is still good.');
const CreateTokenResult = builder.unionType('CreateTokenResult', {
  description: 'What became of `createToken`.',
  types: [CreateTokenPayload, TokenNameTakenRef],
  resolveType: resultType('CreateTokenPayload'),
});

const RevokeTokenPayload = builder.objectRef<{ readonly id: string }>('RevokeTokenPayload').implement({
  role: 'ADMIN',
  description: 'The token is accepted nowhere any more, within five seconds also by other servers.',
  fields: (t) => ({ id: t.exposeID('id', { description: 'Its id.' }) }),
});
const TokenNotFoundRef = refusalType('TokenNotFound', 'There is no token with this id that is still good.');
const RevokeTokenResult = builder.unionType('RevokeTokenResult', {
  description: 'What became of `revokeToken`.',
  types: [RevokeTokenPayload, TokenNotFoundRef],
  resolveType: resultType('RevokeTokenPayload'),
});

const CreateTokenInput = builder.inputType('CreateTokenInput', {
  description: 'Who is to be let in.',
  fields: (t) => ({
    name: t.string({ description: 'Who or what it is for: 1 to 64 letters, digits, `-`, `_`, `.`, `@`.' }),
    role: t.field({ type: Role, description: 'What it may do.' }),
    expiresIn: t.field({
      type: 'Duration',
      required: false,
      description: 'How long it is good; for ever unless told.',
    }),
  }),
});
const RevokeTokenInput = builder.inputType('RevokeTokenInput', {
  description: 'Which token.',
  fields: (t) => ({ id: t.id({ description: 'Its id, as `tokens` shows it.' }) }),
});

async function createToken(
  { name, role, expiresIn }: typeof CreateTokenInput.$inferInput,
  { ports, viewer }: ApiContext,
): Promise<CreatedToken | Refusal<'TokenNameTaken'>> {
  if (!/^[\w.@-]{1,64}$/.test(name)) throw badInput('A token’s name has 1 to 64 letters, digits, `-`, `_`, `.`, `@`.');
  const created = await ports.tokens.create({ name, role, expiresInMs: expiresIn ?? null }, viewer.name);
  if (created !== null) return created;
  const message = `There is a token “${name}” already. Revoke it first, or take another name.`;
  return { refusal: 'TokenNameTaken', message };
}

async function revokeToken(
  id: string,
  { ports, viewer }: ApiContext,
): Promise<{ readonly id: string } | Refusal<'TokenNotFound'>> {
  if (await ports.tokens.revoke(id, viewer.name)) return { id };
  const message = 'There is no token with this id that is still good. `tokens` lists what there is.';
  return { refusal: 'TokenNotFound', message };
}

builder.queryFields((t) => ({
  tokens: t.field({
    type: [TokenRef],
    role: 'ADMIN',
    description: 'All tokens by name, also those that are no longer good.',
    resolve: async (_, _args, { ports }) => [...(await ports.store.tokens.all())],
  }),
}));

builder.mutationFields((t) => ({
  createToken: t.field({
    type: CreateTokenResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: CreateTokenInput, description: 'Who is to be let in.' }) },
    description: 'Makes a token. It is shown this once.',
    resolve: (_, { input }, context) => createToken(input, context),
  }),
  revokeToken: t.field({
    type: RevokeTokenResult,
    role: 'ADMIN',
    args: { input: t.arg({ type: RevokeTokenInput, description: 'Which one.' }) },
    description: 'Ends a token and every subscription that was opened with it.',
    resolve: (_, { input }, context) => revokeToken(input.id, context),
  }),
}));
