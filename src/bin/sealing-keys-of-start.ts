import { Client } from 'pg';
import { providerNamed } from '../../integrations/index.ts';
import type { Config } from '../config.ts';
import { countOf } from '../console/words.ts';
import { readKeysInUse } from '../integrations/sealing-keys-in-use.ts';
import { nameOf } from '../sealing.ts';
import { keptFilePath } from './kept-file.ts';
import { howToMakeSealingKey, lacksSealingKey, makeSealingKey, oldSealingKeys, sealingKeyFile, sealingKeys } from './sealing-keys.ts';

/**
 * The keys of a process that starts on a migrated database. The first start makes one. A database that is older than its
 * data directory, restored or moved, has secrets of another key already: beside a new one nothing would be delivered any
 * more, so that is refused in a sentence for people.
 */
export async function sealingKeysOfStart(config: Config, databaseUrl: string): Promise<[Buffer, ...Buffer[]]> {
  if (lacksSealingKey(config)) {
    const closed = closedBy(await keysInUse(databaseUrl), oldSealingKeys(config).map(nameOf));
    if (closed.length > 0) throw new Error(missingSentence(closed, keptFilePath(config, sealingKeyFile)));
    makeSealingKey(config);
  }
  return sealingKeys(config);
}

async function keysInUse(databaseUrl: string): Promise<Map<string, number>> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the next statement fails
  await client.connect();
  try {
    return await readKeysInUse(client, providerNamed);
  } finally {
    await client.end();
  }
}

/** What no key at hand opens: names of keys, and how many integrations need them. */
const closedBy = (inUse: ReadonlyMap<string, number>, known: readonly string[]): [string, number][] =>
  [...inUse].filter(([name]) => name !== 'unsealed' && !known.includes(name));

function missingSentence(closed: readonly [string, number][], file: string): string {
  const needed = closed.map(([name, count]) => `${name} (of ${countOf(count, 'integration')})`).join(', ');
  return `The key is missing that secrets in the database are sealed with: ${needed}. ${file} is not there, and FORMWIRE_SECRETS_KEY is not set. Bring that file from where the data was before, or from beside the backup, or set FORMWIRE_SECRETS_KEY. If the key is lost for good, these secrets are too: \`${howToMakeSealingKey} > ${file}\` makes another one, to start with; ops/upkeep.md, "Lost keys", says what their owners do then.`;
}
