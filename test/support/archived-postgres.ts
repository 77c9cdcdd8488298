import { appendFileSync, chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Client } from 'pg';
import { startPostgres, type EmbeddedPostgres } from '../../src/embedded/postgres.ts';
import { withClient } from './pipeline.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** A PostgreSQL whose log is archived, so that it can be brought back to any moment since its base backup. */
export interface ArchivedPostgres extends AsyncDisposable {
  url: string;
  /** Copies its files while it runs, as pg_basebackup does. */
  baseBackup(): Promise<void>;
  /** Its clock, by which moments are named. */
  now(): Promise<string>;
  /** Another server from the base backup and the archive, as everything was at that moment; the first one is ended. */
  recoveredTo(time: string): Promise<EmbeddedPostgres>;
}

export async function startArchivedPostgres(): Promise<ArchivedPostgres> {
  const directory = createTemporaryDirectory();
  const [dir, recovered, archive] = ['first', 'recovered', 'archive'].map((name) => path.join(directory.path, name)) as [string, string, string];
  mkdirSync(archive);
  chmodSync(archive, 0o777); // as root, PostgreSQL runs as another user
  await (await startPostgres({ dir })).stop();
  configure(dir, { archive_mode: 'on', archive_command: `test ! -f ${archive}/%f && cp %p ${archive}/%f`, wal_level: 'replica' });
  const first = await startPostgres({ dir });
  let second: EmbeddedPostgres | undefined;
  return {
    url: first.url,
    baseBackup: () => withClient(first.url, (client) => copyRunning(client, { from: dir, to: recovered })),
    now: async () => (await withClient(first.url, (client) => client.query<{ now: string }>('select clock_timestamp()::text as now'))).rows[0]?.now ?? '',
    recoveredTo: async (time) => {
      await withClient(first.url, (client) => client.query('select pg_switch_wal()'));
      await first.stop(); // archives what there is
      configure(recovered, { archive_mode: 'off', restore_command: `cp ${archive}/%f %p`, recovery_target_time: time, recovery_target_action: 'promote' });
      writeFileSync(path.join(recovered, 'cluster', 'recovery.signal'), '');
      second = await startPostgres({ dir: recovered });
      return second;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([first.stop(), second?.stop()]);
      directory[Symbol.dispose]();
    },
  };
}

const configure = (dir: string, settings: Record<string, string>): void =>
  appendFileSync(path.join(dir, 'cluster', 'postgresql.conf'), Object.entries(settings).map(([name, value]) => `${name} = '${value}'\n`).join(''));

/** All but what the copy makes anew, with the label that tells it where in the log to begin. Source: PostgreSQL, "Making a Base Backup Using the Low Level API". */
async function copyRunning(client: Client, { from, to }: { from: string; to: string }): Promise<void> {
  await client.query(`select pg_backup_start('test', true)`);
  const isLeftOut = (file: string): boolean => /\/(pg_wal\/.+|postmaster\.(pid|opts))$/.test(file);
  mkdirSync(to);
  chmodSync(to, 0o755);
  for (const name of ['cluster', 'password']) cpSync(path.join(from, name), path.join(to, name), { recursive: true, filter: (file) => !isLeftOut(file) });
  const { rows } = await client.query<{ labelfile: string; spcmapfile: string }>('select labelfile, spcmapfile from pg_backup_stop()');
  writeFileSync(path.join(to, 'cluster', 'backup_label'), rows[0]?.labelfile ?? '');
}
