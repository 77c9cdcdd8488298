import path from 'node:path';
import { loadBackup, readManifest } from '../../backup/load-backup.ts';
import type { Manifest } from '../../backup/manifest.ts';
import type { Config } from '../../config.ts';
import { countOf } from '../../console/words.ts';
import { migrationNames } from '../../db/migrate.ts';
import { startPostgres } from '../../embedded/postgres.ts';
import { nameOf } from '../../sealing.ts';
import { noProgress, openProgress } from '../demo/progress.ts';
import { keptFileIsThere } from '../kept-file.ts';
import { sealingKeyFile, sealingKeys } from '../sealing-keys.ts';
import { folderOf, rowsIn } from './backup.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, printJson, printLines } from './print.ts';

export const restoreCommand = operatorCommand({
  args: jsonArgument,
  takesWords: true,
  run: async ({ args, words, config }) => {
    const dir = folderOf(words);
    readManifest(dir); // before a server is started
    using bar = args.json ? noProgress : openProgress('tables');
    const manifest = await withTarget(config, (databaseUrl) =>
      loadBackup({ databaseUrl, dir, known: migrationNames(), onTable: bar.show }),
    );
    const missingKeys = missingFrom(config, manifest);
    if (args.json) printJson({ takenAt: manifest.takenAt, rows: rowsIn(manifest), missingKeys });
    else printLines(restoredLines(manifest, missingKeys));
    return missingKeys.length > 0 ? 'found' : 'fine';
  },
});

/** The database of the configuration, or the embedded one, which nobody uses while it is restored. */
async function withTarget<T>({ DATABASE_URL, FORMWIRE_DATA }: Config, use: (databaseUrl: string) => Promise<T>): Promise<T> {
  if (DATABASE_URL !== undefined) return use(DATABASE_URL);
  const postgres = await startPostgres({ dir: path.resolve(FORMWIRE_DATA, 'postgres') });
  try {
    return await use(postgres.url);
  } finally {
    await postgres.stop();
  }
}

/** The names of keys that seal secrets of the backup and are not in the configuration. Makes none. */
function missingFrom(config: Config, { sealingKeys: needed }: Manifest): string[] {
  const isThere = config.FORMWIRE_SECRETS_KEY !== undefined || (config.DATABASE_URL === undefined && keptFileIsThere(config, sealingKeyFile));
  const present = isThere ? sealingKeys(config).map(nameOf) : [];
  return needed.filter((name) => !present.includes(name));
}

function restoredLines(manifest: Manifest, missingKeys: readonly string[]): string[] {
  return [
    `${countOf(rowsIn(manifest), 'row')}, as of ${manifest.takenAt}.`,
    ...(missingKeys.length > 0
      ? [paint('red', `Secrets in it are sealed by ${missingKeys.join(', ')}, and no such key is here: put it into FORMWIRE_SECRETS_KEY or FORMWIRE_SECRETS_OLD_KEYS, or secrets-key into the data directory, before the start.`)]
      : []),
    'Start Formwire, and run: formwire doctor',
  ];
}
