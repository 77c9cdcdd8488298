import type { Pool } from 'pg';
import { newId, type Id } from '../events/id.ts';
import type { Scope } from '../graphql/viewer.ts';
import { newApiKey } from './api-keys.service.ts';

/** A key that was made by whoever has the database, beside the API. */
export interface OperatorKey {
  id: Id<'key'>;
  key: string;
  organizationId: Id<'org'>;
  organization: string;
  /** In whose name: the organisation's oldest owner. */
  createdById: Id<'usr'>;
  expiresAt: Date;
}

const insert = `
  with owner as (
    select o.id as organization_id, o.name, m.user_id from organizations o
    join memberships m on m.organization_id = o.id and m.role = 'owner'
    where o.id = $2
    order by m.created_at, m.id
    limit 1
  ), made as (
    insert into api_keys (id, organization_id, created_by_id, name, prefix, hash, scopes, created_at, expires_at)
    select $1, organization_id, user_id, $3, $4, $5, $6, now(), now() + make_interval(secs => $7 / 1000.0) from owner
    returning expires_at
  )
  select owner.name as organization, owner.user_id as "createdById", made.expires_at as "expiresAt" from owner, made`;

/**
 * Makes an API key of an organisation, which the organisation sees in its list under this name, and may revoke. Undefined
 * where there is no such organisation, or nobody owns it.
 */
export async function createOperatorKey(
  pool: Pool,
  { organizationId, name, scopes, validMs }: { organizationId: Id<'org'>; name: string; scopes: readonly Scope[]; validMs: number },
): Promise<OperatorKey | undefined> {
  const id = newId('key');
  const { key, prefix, hash } = newApiKey();
  const values = [id, organizationId, name, prefix, hash, JSON.stringify(scopes), validMs];
  const { rows } = await pool.query<Pick<OperatorKey, 'organization' | 'createdById' | 'expiresAt'>>(insert, values);
  return rows[0] && { id, key, organizationId, ...rows[0] };
}

/** Ends a key at once; no matter how often. Answers whether there is one. */
export async function revokeOperatorKey(pool: Pool, id: Id<'key'>): Promise<boolean> {
  const { rowCount } = await pool.query('update api_keys set revoked_at = coalesce(revoked_at, now()) where id = $1', [id]);
  return rowCount === 1;
}
