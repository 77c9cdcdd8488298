import type { Pool } from 'pg';
import { throughTrouble } from '../database-trouble.ts';
import type { Id } from '../events/id.ts';
import type { Role, Scope, Viewer } from '../graphql/viewer.ts';
import { createBriefCache } from './brief-cache.ts';
import { hashOfSecret } from './secret-token.ts';

/**
 * What a caller's credentials are worth now. A token is good for an hour and a key for ever, but what they stand for
 * may end at any time: every call with one looks here, and what is found here is never older than three quarters of a
 * second. That costs one small query a second and caller, however much they call, and needs no message between
 * processes. Both throw UnavailableError where the database is away.
 */
export interface Standings {
  /** Who a session speaks for, and as what; undefined where it has ended. */
  ofSession(sessionId: Id<'ses'>): Promise<Viewer | undefined>;
  /** Who an API key speaks for; undefined where there is none, it has expired, or is revoked. Notes that it was used. */
  ofKey(key: string): Promise<Viewer | undefined>;
  /** This process has changed something: it sees that at once, the others within the second. */
  forget(): void;
}

const maxAgeMs = 750;
const maxEntries = 50_000;
/** As long as a submission waits for the database. */
const throughTroubleMs = 10_000;

export function createStandings({ pool, now }: { pool: Pool; now: () => Date }): Standings {
  const briefly = <Key extends string>(read: (pool: Pool, key: { key: Key; now: Date }) => Promise<Viewer | undefined>) =>
    createBriefCache<Key, Viewer | undefined>({
      read: (key) => throughTrouble(() => read(pool, { key, now: now() }), throughTroubleMs),
      maxAgeMs,
      maxEntries,
    });
  const sessions = briefly<Id<'ses'>>(readSession);
  const keys = briefly<string>(readKey);

  return {
    ofSession: (sessionId) => sessions.get(sessionId),
    ofKey: async (key) => (isKeyShaped(key) ? keys.get(hashOfSecret(key)) : undefined),
    forget: () => {
      sessions.clear();
      keys.clear();
    },
  };
}

/** What cannot be a key is not looked up. */
const isKeyShaped = (key: string): boolean => /^fwk_[\w-]{43}$/.test(key);

interface Standing {
  userId: Id<'usr'>;
  organizationId: Id<'org'>;
}

async function readSession(pool: Pool, { key: id, now }: { key: Id<'ses'>; now: Date }): Promise<Viewer | undefined> {
  const { rows } = await pool.query<Standing & { role: Role | 'none' }>({
    name: 'session-standing',
    text: `
      select s.user_id as "userId", s.organization_id as "organizationId", coalesce(m.role, 'none') as role
      from sessions s left join memberships m on m.user_id = s.user_id and m.organization_id = s.organization_id
      where s.id = $1 and s.expires_at > $2`,
    values: [id, now],
  });
  if (!rows[0]) return undefined;
  const { role, ...standing } = rows[0];
  return { ...standing, credential: { kind: 'session', id, role } };
}

const isGood = 'hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)';

const selectKey = `
  with used as (
    update api_keys set last_used_at = $2
    where ${isGood} and (last_used_at is null or last_used_at <= $2 - interval '1 minute')
  )
  select id, scopes, created_by_id as "userId", organization_id as "organizationId" from api_keys where ${isGood}`;

async function readKey(pool: Pool, { key: hash, now }: { key: string; now: Date }): Promise<Viewer | undefined> {
  const { rows } = await pool.query<Standing & { id: Id<'key'>; scopes: Scope[] }>({ name: 'key-standing', text: selectKey, values: [hash, now] });
  if (!rows[0]) return undefined;
  const { id, scopes, ...standing } = rows[0];
  return { ...standing, credential: { kind: 'key', id, scopes } };
}
