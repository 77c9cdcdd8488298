import { isId, newId, type Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Caller } from '../graphql/context.ts';
import { scopes, type Scope } from '../graphql/viewer.ts';
import { whyTextUnstorable } from '../storable.ts';
import { UserError, type Fault } from '../user-error.ts';
import { ApiKey } from './api-key.entity.ts';
import { requirePermission, requirePerson, viewerAllowed } from './permissions.ts';
import { hashOfSecret, newSecretToken } from './secret-token.ts';
import type { Standings } from './standings.ts';

export interface CreateApiKeyInput {
  name: string;
  scopes: readonly Scope[];
  expiresAt?: Date | null | undefined;
}

export interface ApiKeysDeps {
  standings: Standings;
  now: () => Date;
}

export type ApiKeysService = ReturnType<typeof createApiKeysService>;

/** Tells our keys from tokens, and lets scanners of leaked secrets know them. */
export const keyPrefix = 'fwk_';
const shownLength = 12;
const maxNameLength = 200;
const maxKeys = 200;

/** A key, and what is stored of it. */
export function newApiKey(): { key: string; prefix: string; hash: string } {
  const key = `${keyPrefix}${newSecretToken()}`;
  return { key, prefix: key.slice(0, shownLength), hash: hashOfSecret(key) };
}

/** The keys of an organisation's programs. */
export function createApiKeysService({ standings, now }: ApiKeysDeps) {
  return {
    /** Makes a key, which is told this once: only its hash is kept. Throws UserError. */
    async create(caller: Caller, input: CreateApiKeyInput): Promise<{ apiKey: ApiKey; key: string }> {
      const { userId, organizationId } = requirePersonWithKeys(caller);
      const createdAt = now();
      refuseFaults(input, createdAt);
      const usable = { organizationId, revokedAt: null, $or: [{ expiresAt: null }, { expiresAt: { $gt: createdAt } }] };
      if ((await caller.em.count(ApiKey, usable)) >= maxKeys) {
        throw new UserError('TOO_MANY', `An organisation has at most ${maxKeys} keys that can be used; revoke some that are not used.`, []);
      }
      const { key, prefix, hash } = newApiKey();
      const apiKey = caller.em.create(ApiKey, {
        id: newId('key'),
        organizationId,
        createdById: userId,
        name: input.name,
        prefix,
        hash,
        scopes: scopes.filter((scope) => input.scopes.includes(scope)),
        createdAt,
        expiresAt: input.expiresAt ?? null,
        lastUsedAt: null,
        revokedAt: null,
      });
      await caller.em.flush();
      return { apiKey, key };
    },

    /** From now on every process refuses the key, within a second. Twice is as good as once. Throws UserError NOT_FOUND. */
    async revoke(caller: Caller, id: string): Promise<ApiKey> {
      const { organizationId } = requirePersonWithKeys(caller);
      const apiKey = isId('key', id) ? await caller.em.findOne(ApiKey, { id, organizationId }) : null;
      if (!apiKey) throw new UserError('NOT_FOUND', 'Your organisation has no API key with this id.', ['id']);
      apiKey.revokedAt ??= now();
      await caller.em.flush();
      standings.forget();
      return apiKey;
    },

    /** A page of the keys of the viewer's organisation, oldest first, those that are revoked too. */
    async list(caller: Caller, { after, before, limit, reversed }: KeysetRange): Promise<ApiKey[]> {
      const { organizationId } = requirePermission(caller, 'keys:write');
      const id = { ...(after && { $gt: after as Id<'key'> }), ...(before && { $lt: before as Id<'key'> }) };
      return caller.em.find(
        ApiKey,
        { organizationId, ...(after || before ? { id } : {}) },
        { limit, orderBy: { id: reversed ? 'desc' : 'asc' } },
      );
    },

    /** The keys of these ids that the viewer may see. */
    async readMany(caller: Caller, ids: readonly Id<'key'>[]): Promise<Map<Id<'key'>, ApiKey>> {
      const viewer = viewerAllowed(caller, 'keys:write');
      if (!viewer) return new Map();
      const keys = await caller.em.find(ApiKey, { id: { $in: [...ids] }, organizationId: viewer.organizationId });
      return new Map(keys.map((key) => [key.id, key]));
    },
  };
}

function requirePersonWithKeys(caller: Caller) {
  requirePermission(caller, 'keys:write');
  return requirePerson(caller);
}

function refuseFaults({ name, scopes: wanted, expiresAt }: CreateApiKeyInput, now: Date): void {
  const faults: Fault[] = [];
  const refuse = (field: string, message: string): void => void faults.push({ code: 'INVALID_INPUT', message, path: [field] });
  const isName = name.trim() !== '' && name.length <= maxNameLength && whyTextUnstorable(name) === undefined;
  if (!isName) refuse('name', `A key has a name of 1 to ${maxNameLength} characters, to know it by.`);
  if (wanted.length === 0) refuse('scopes', 'Name at least one scope: a key without any could do nothing.');
  if (expiresAt && expiresAt <= now) refuse('expiresAt', 'This is past already.');
  if (faults.length > 0) throw new UserError(faults);
}
