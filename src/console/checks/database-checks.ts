import type { Pool } from 'pg';
import { isFrom, ownVersion, readOldest } from '../../db/compatibility.ts';
import { readerRole } from '../../db/reader-role.ts';
import { doubtful, sound, wrong, type Finding } from './finding.ts';

interface Facts {
  version: number;
  versionText: string;
  isReplica: boolean;
  fsync: string;
  fullPageWrites: string;
  synchronousCommit: string;
  maxConnections: number;
  connections: number;
  ownsTables: boolean;
  canRead: boolean;
  oldestTransactionMs: number;
}

const select = `
  select current_setting('server_version_num')::int as version, current_setting('server_version') as "versionText",
         pg_is_in_recovery() as "isReplica",
         current_setting('fsync') as fsync, current_setting('full_page_writes') as "fullPageWrites",
         current_setting('synchronous_commit') as "synchronousCommit",
         current_setting('max_connections')::int as "maxConnections", (select count(*)::int from pg_stat_activity where backend_type = 'client backend') as connections,
         coalesce((select pg_has_role(current_user, relowner, 'usage') from pg_class where oid = to_regclass('responses')), true) as "ownsTables",
         exists (select 1 from pg_roles where rolname = $1 and pg_has_role(current_user, oid, 'member')) as "canRead",
         coalesce((select extract(epoch from max(now() - xact_start)) * 1000 from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'), 0)::float8 as "oldestTransactionMs"`;

/** What PostgreSQL says of itself. `migrations`: the names of all that this version of Formwire has. */
export async function checkDatabase(pool: Pool, { migrations, connectionsOfProcess }: { migrations: readonly string[]; connectionsOfProcess: number }): Promise<Finding[]> {
  const { rows } = await pool.query<Facts>(select, [readerRole]);
  const [facts] = rows;
  if (!facts) throw new Error('PostgreSQL answered nothing');
  return [
    versionFinding(facts),
    clockFinding(await readSkew(pool)),
    durabilityFinding(facts),
    roleFinding(facts),
    migrationsFinding({ done: await readMigrations(pool), all: migrations, own: ownVersion, oldest: await readOldest(pool) }),
    connectionsFinding(facts, connectionsOfProcess),
    transactionFinding(facts.oldestTransactionMs),
  ];
}

export function versionFinding({ version, versionText, isReplica }: Pick<Facts, 'version' | 'versionText' | 'isReplica'>): Finding {
  if (isReplica) return wrong('PostgreSQL', `${versionText}, a replica, which takes no writes`, 'Point DATABASE_URL to the primary.');
  if (version < 150_000) return wrong('PostgreSQL', versionText, 'Formwire needs 15 or newer: upgrade it.');
  return sound('PostgreSQL', versionText);
}

const clockRounds = 3;

/** How far the database's clock is ahead, by the quickest of a few questions: the longer one takes, the less it says. */
async function readSkew(pool: Pool): Promise<number> {
  const rounds: { tookMs: number; aheadMs: number }[] = [];
  for (let round = 0; round < clockRounds; round += 1) {
    const sentAt = Date.now();
    const { rows } = await pool.query<{ now: Date }>('select clock_timestamp() as now');
    const receivedAt = Date.now();
    rounds.push({ tookMs: receivedAt - sentAt, aheadMs: (rows[0]?.now.getTime() ?? Number.NaN) - (sentAt + receivedAt) / 2 });
  }
  return rounds.toSorted((one, other) => one.tookMs - other.tookMs)[0]?.aheadMs ?? Number.NaN;
}

/** From when on a clock is looked at, and from when on it does harm. */
export const clockSkew = { doubtfulMs: 1_000, wrongMs: 60_000 };

/** Leases and retries go by the database's clock; times in responses, tokens and signatures by this machine's. */
export function clockFinding(aheadMs: number): Finding {
  const seen = `the database's is ${Math.abs(aheadMs / 1_000).toFixed(1)} s ${aheadMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  const mend = 'Synchronise both with NTP: receivers refuse signatures that are minutes off, and tokens expire early or late.';
  if (Math.abs(aheadMs) >= clockSkew.wrongMs) return wrong('clocks', seen, mend);
  return Math.abs(aheadMs) >= clockSkew.doubtfulMs ? doubtful('clocks', seen, mend) : sound('clocks', seen);
}

export function durabilityFinding({ fsync, fullPageWrites, synchronousCommit }: Pick<Facts, 'fsync' | 'fullPageWrites' | 'synchronousCommit'>): Finding {
  const off = [...(fsync === 'off' ? ['fsync'] : []), ...(fullPageWrites === 'off' ? ['full_page_writes'] : []), ...(synchronousCommit === 'off' ? ['synchronous_commit'] : [])];
  if (off.length === 0) return sound('durability', 'commits are on disk when they are answered');
  return wrong('durability', `${off.join(', ')} off: a crash loses responses that were accepted`, `Set ${off.join(', ')} to on.`);
}

export function roleFinding({ ownsTables, canRead }: Pick<Facts, 'ownsTables' | 'canRead'>): Finding {
  if (!ownsTables) return wrong('role', 'the user of the database does not own the tables', 'Let DATABASE_URL name the user who made them, or give them to this one (reassign owned by …).');
  if (!canRead) return doubtful('role', `the user may not take the role ${readerRole} yet`, `A start makes it where it may; otherwise let a superuser run: create role ${readerRole} nologin; grant ${readerRole} to the user.`);
  return sound('role', `owns the tables, and may read as ${readerRole}`);
}

async function readMigrations(pool: Pool): Promise<string[] | null> {
  const { rows: tables } = await pool.query<{ isThere: boolean }>(`select to_regclass('mikro_orm_migrations') is not null as "isThere"`);
  if (!tables[0]?.isThere) return null;
  const { rows } = await pool.query<{ name: string }>('select name from mikro_orm_migrations');
  return rows.map(({ name }) => name);
}

interface SchemaFacts {
  /** Migrations of the database; null where it has no tables. */
  done: readonly string[] | null;
  /** Migrations of this version. */
  all: readonly string[];
  own: string;
  /** The oldest version that can run on the database, if a version has said. */
  oldest: string | undefined;
}

export function migrationsFinding({ done, all, own, oldest }: SchemaFacts): Finding {
  if (done === null) return wrong('schema', 'there are no tables yet', 'Run: formwire migrate (a start does it too).');
  if (oldest !== undefined && !isFrom(own, oldest)) return wrong('schema', `needs Formwire ${oldest} or newer, and this is ${own}`, 'Run that, or restore the backup that was taken before the upgrade.');
  const [missing, unknown] = [all.filter((name) => !done.includes(name)), done.filter((name) => !all.includes(name))];
  if (missing.length > 0) return wrong('schema', `${missing.length} of ${all.length} migrations are not done: ${missing.join(', ')}`, 'Run: formwire migrate (a start does it too).');
  if (unknown.length > 0) return doubtful('schema', `made by a newer Formwire, which has ${unknown.join(', ')}; this one can run on it`, 'Finish the upgrade, or know what you went back for: this version does nothing with what only the newer one knows.');
  return sound('schema', `${all.length} migrations done`);
}

function connectionsFinding({ maxConnections, connections }: Facts, ofProcess: number): Finding {
  const seen = `${connections} of ${maxConnections} in use; a process of Formwire takes up to ${ofProcess}`;
  if (maxConnections - connections >= ofProcess) return sound('connections', seen);
  return doubtful('connections', seen, 'Raise max_connections, or lower FORMWIRE_DATABASE_CONNECTIONS: another process may not get what it needs.');
}

const longTransactionMs = 60_000;

function transactionFinding(ms: number): Finding {
  if (ms < longTransactionMs) return sound('transactions', 'none is left open');
  return doubtful('transactions', `one is idle for ${Math.floor(ms / 60_000)} m`, 'Find it in pg_stat_activity (state idle in transaction) and end it: dead rows cannot be cleared away, and queues grow slow.');
}
