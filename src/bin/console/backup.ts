import path from 'node:path';
import { providerNamed } from '../../../integrations/index.ts';
import { takeBackup } from '../../backup/take-backup.ts';
import { countOf } from '../../console/words.ts';
import { readKeysInUse } from '../../integrations/sealing-keys-in-use.ts';
import { noProgress, openProgress } from '../demo/progress.ts';
import { WrongUse } from '../exit-codes.ts';
import { findInstallation } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, printJson, printLines } from './print.ts';

export const backupCommand = operatorCommand({
  args: jsonArgument,
  takesWords: true,
  run: async ({ args, words, config }) => {
    const dir = folderOf(words);
    using bar = args.json ? noProgress : openProgress('tables');
    const manifest = await takeBackup({
      databaseUrl: findInstallation(config).databaseUrl,
      dir,
      sealingKeys: async (client) => [...(await readKeysInUse(client, providerNamed)).keys()].filter((name) => name !== 'unsealed'),
      onTable: bar.show,
    });
    if (args.json) printJson({ dir, ...manifest });
    else printLines([`${countOf(rowsIn(manifest), 'row')}, as of ${manifest.takenAt}, in ${dir}`, 'The keys are not in it: keep FORMWIRE_SECRETS_KEY and FORMWIRE_JWT_KEY (or secrets-key and access-token-key.pem of the data directory) in another place.']);
    return 'fine';
  },
});

/** The one word after the command. */
export function folderOf(words: readonly string[]): string {
  const [dir, ...more] = words;
  if (dir === undefined || more.length > 0) throw new WrongUse('It takes one folder.');
  return path.resolve(dir);
}

/** Of all tables. */
export const rowsIn = ({ tables }: { tables: readonly { rows: number }[] }): number => tables.reduce((sum, { rows }) => sum + rows, 0);
