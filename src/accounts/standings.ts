import type { Pool } from 'pg';
import { throughTrouble } from '../database-trouble.ts';
import type { Id } from '../events/id.ts';
import type { Viewer } from '../graphql/context.ts';
import { createBriefCache } from './brief-cache.ts';

/**
 * What a caller's credentials are worth now. A token is good for an hour, but what it stands for may end at any time:
 * every call with one looks here, and what is found here is never older than three quarters of a second. That costs
 * one small query a second and caller, however much they call, and needs no message between processes.
 */
export interface Standings {
  /** Who a session speaks for; undefined where it has ended. Throws UnavailableError where the database is away. */
  ofSession(sessionId: Id<'ses'>): Promise<Viewer | undefined>;
  /** This process has changed something: it sees that at once, the others within the second. */
  forget(): void;
}

const maxAgeMs = 750;
const maxEntries = 50_000;
/** As long as a submission waits for the database. */
const throughTroubleMs = 10_000;

export function createStandings({ pool, now }: { pool: Pool; now: () => Date }): Standings {
  const sessions = createBriefCache<Id<'ses'>, Viewer | undefined>({
    read: (id) => throughTrouble(() => readSession(pool, { id, now: now() }), throughTroubleMs),
    maxAgeMs,
    maxEntries,
  });
  return {
    ofSession: (sessionId) => sessions.get(sessionId),
    forget: () => sessions.clear(),
  };
}

async function readSession(pool: Pool, key: { id: Id<'ses'>; now: Date }): Promise<Viewer | undefined> {
  const { rows } = await pool.query<Viewer>({
    name: 'session-standing',
    text: `
      select u.id as "userId", u.organization_id as "organizationId", s.id as "sessionId"
      from sessions s join users u on u.id = s.user_id
      where s.id = $1 and s.expires_at > $2`,
    values: [key.id, key.now],
  });
  return rows[0];
}
