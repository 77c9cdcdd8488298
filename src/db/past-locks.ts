import { setTimeout as sleep } from 'node:timers/promises';
import type { ClientBase, Pool } from 'pg';

/** How a change of the schema gives way to those who use its tables. */
export interface GivingWay {
  /** For so long it waits for a lock, and everybody who comes after it waits too: submissions have ten seconds. */
  lockTimeoutMs: number;
  /** Then it stands back for so long, and they go on. */
  pauseMs: number;
  tries: number;
}

/** For some two minutes. */
export const givingWay: GivingWay = { lockTimeoutMs: 2_000, pauseMs: 3_000, tries: 24 };

/** Who had had a table for longest when a lock was not to be had, and may be the one who holds it. */
export interface Blocked {
  try: number;
  tries: number;
  pid: number | null;
  application: string | null;
  forSeconds: number | null;
}

/** Lets the connections of a pool wait for locks for so long. */
export function boundLockWaits(pool: Pool, lockTimeoutMs: number): void {
  pool.on('connect', (client) => {
    client.query(`set lock_timeout = ${lockTimeoutMs}`).catch(() => undefined); // the next statement fails too
  });
}

/**
 * Repeats a transaction that gives way until it has had its locks; throws a sentence for people where it has not in all
 * its tries. What it had done in a try is undone.
 */
export async function pastLocks<T>(work: () => Promise<T>, { client, bounds, onBlocked }: { client: ClientBase; bounds: GivingWay; onBlocked: (blocked: Blocked) => void }): Promise<T> {
  const { tries, pauseMs, lockTimeoutMs } = bounds;
  for (let round = 1; ; round += 1) {
    try {
      return await work();
    } catch (cause) {
      if (!isInTheWay(cause)) throw cause;
      const blocked = { try: round, tries, ...(await findLongest(client)) };
      if (round === tries) throw new Error(givenUp(blocked, (tries * (lockTimeoutMs + pauseMs)) / 1_000), { cause });
      onBlocked(blocked);
      await sleep(pauseMs);
    }
  }
}

/** Of PostgreSQL: lock_not_available, and deadlock_detected, for which it ends one of two who wait for each other. */
const inTheWay: readonly unknown[] = ['55P03', '40P01'];
const isInTheWay = (error: unknown): boolean => error instanceof Error && 'code' in error && inTheWay.includes(error.code);

const givenUp = ({ tries, pid, application, forSeconds }: Blocked, seconds: number): string => {
  const holder = pid === null ? '' : ` Process ${pid} of PostgreSQL (${application || 'no name'}) has been in a transaction for ${forSeconds} s, which may be why: wait for it, or end it by select pg_terminate_backend(${pid}).`;
  return `The database was not migrated: in ${tries} tries over ${Math.round(seconds)} s somebody else had its tables. Nothing is changed.${holder} Then start again, or run: formwire migrate`;
};

/** Of those who have a table: another process that waits for its turn to migrate is in a transaction too, and has none. */
const longest = `
  select a.pid, a.application_name as application, extract(epoch from now() - a.xact_start)::int as "forSeconds"
  from pg_stat_activity a
  where a.datname = current_database() and a.pid <> pg_backend_pid() and a.xact_start is not null and exists (
    select 1 from pg_locks l join pg_class c on c.oid = l.relation and c.relkind in ('r', 'p') and c.relnamespace <> 'pg_catalog'::regnamespace
    where l.pid = a.pid and l.database = a.datid and l.granted
  )
  order by a.xact_start limit 1`;

async function findLongest(client: ClientBase): Promise<Pick<Blocked, 'pid' | 'application' | 'forSeconds'>> {
  const { rows } = await client.query<Pick<Blocked, 'pid' | 'application' | 'forSeconds'>>(longest);
  return rows[0] ?? { pid: null, application: null, forSeconds: null };
}
