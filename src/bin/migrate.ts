import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { defineCommand } from 'citty';
import { parseConfig } from '../config.ts';
import { migrate, schemaDrift } from '../db/migrate.ts';
import type { Blocked } from '../db/past-locks.ts';
import { startPostgres } from '../embedded/postgres.ts';

export const migrateCommand = defineCommand({
  args: { check: { type: 'boolean', default: false, description: 'Check on a new database that the migrations make what the entities say.' } },
  run: async ({ args }) => {
    if (args.check) return check();
    const { DATABASE_URL: url } = parseConfig(process.env);
    if (!url) throw new Error('DATABASE_URL is missing. The embedded database is migrated at each start.');
    await migrate(url, { onBlocked: sayBlocked });
  },
});

function sayBlocked({ try: round, tries, pid, application, forSeconds }: Blocked): void {
  const holder = pid === null ? '' : `; process ${pid} of PostgreSQL (${application || 'no name'}) has been in a transaction for ${forSeconds} s`;
  process.stderr.write(`Somebody has a table that is to be changed${holder}. Try ${round} of ${tries} gave way; the next follows.\n`);
}

async function check(): Promise<void> {
  const dir = mkdtempSync(path.join(tmpdir(), 'formwire-migrate-'));
  const postgres = await startPostgres({ dir, ephemeral: true });
  try {
    await migrate(postgres.url);
    const drift = await schemaDrift(postgres.url);
    if (drift) throw new Error(`The migrations do not make what the entities say. Missing:\n${drift}`);
  } finally {
    await postgres.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
