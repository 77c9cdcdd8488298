import type { Pool } from 'pg';
import { throughTrouble } from '../database-trouble.ts';
import type { Id } from '../events/id.ts';
import type { Credential, Role, Scope, Viewer } from '../graphql/viewer.ts';
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
  /** What credentials are worth now that go on for long, by their ids; one that has ended is not in it. Asked anew each time. */
  ofMany(credentials: readonly Credential[]): Promise<Map<string, Viewer>>;
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
    ofMany: (credentials) => readMany(pool, { credentials, now: now() }),
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

const selectSessions = `
  select s.id, s.user_id as "userId", s.organization_id as "organizationId", coalesce(m.role, 'none') as role
  from sessions s left join memberships m on m.user_id = s.user_id and m.organization_id = s.organization_id
  where s.id = any($1) and s.expires_at > $2`;

type SessionRow = Standing & { id: Id<'ses'>; role: Role | 'none' };
const viewerOfSession = ({ id, role, ...standing }: SessionRow): Viewer => ({ ...standing, credential: { kind: 'session', id, role } });

async function readSession(pool: Pool, { key: id, now }: { key: Id<'ses'>; now: Date }): Promise<Viewer | undefined> {
  const { rows } = await pool.query<SessionRow>({ name: 'session-standing', text: selectSessions, values: [[id], now] });
  return rows[0] && viewerOfSession(rows[0]);
}

const isGood = 'hash = $1 and revoked_at is null and (expires_at is null or expires_at > $2)';

const selectKey = `
  with used as (
    update api_keys set last_used_at = $2
    where ${isGood} and (last_used_at is null or last_used_at <= $2 - interval '1 minute')
  )
  select id, scopes, created_by_id as "userId", organization_id as "organizationId" from api_keys where ${isGood}`;

type KeyRow = Standing & { id: Id<'key'>; scopes: Scope[] };
const viewerOfKey = ({ id, scopes, ...standing }: KeyRow): Viewer => ({ ...standing, credential: { kind: 'key', id, scopes } });

async function readKey(pool: Pool, { key: hash, now }: { key: string; now: Date }): Promise<Viewer | undefined> {
  const { rows } = await pool.query<KeyRow>({ name: 'key-standing', text: selectKey, values: [hash, now] });
  return rows[0] && viewerOfKey(rows[0]);
}

const selectKeys = `
  select id, scopes, created_by_id as "userId", organization_id as "organizationId" from api_keys
  where id = any($1) and revoked_at is null and (expires_at is null or expires_at > $2)`;

async function readMany(pool: Pool, { credentials, now }: { credentials: readonly Credential[]; now: Date }): Promise<Map<string, Viewer>> {
  const idsOf = (kind: Credential['kind']): string[] => [...new Set(credentials.flatMap((one) => (one.kind === kind ? [one.id] : [])))];
  const [sessionIds, keyIds] = [idsOf('session'), idsOf('key')];
  const [sessions, keys] = await Promise.all([
    sessionIds.length > 0 ? pool.query<SessionRow>({ name: 'sessions-standing', text: selectSessions, values: [sessionIds, now] }) : { rows: [] },
    keyIds.length > 0 ? pool.query<KeyRow>({ name: 'keys-standing', text: selectKeys, values: [keyIds, now] }) : { rows: [] },
  ]);
  const viewers = [...sessions.rows.map(viewerOfSession), ...keys.rows.map(viewerOfKey)];
  return new Map(viewers.map((viewer) => [viewer.credential.id, viewer]));
}
