import type { ClientBase, Pool } from 'pg';
import type { Provider } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';
import { isSealed, sealedBy } from '../sealing.ts';
import { mapSecrets } from './secret-members.ts';

const pageSize = 1_000;

/**
 * How many integrations have a secret that a key has sealed, by the key's name; under `unsealed` those from before
 * secrets were sealed. Deleted ones count too: whoever looks at them opens them.
 */
export async function readKeysInUse(client: Pick<Pool | ClientBase, 'query'>, providerNamed: (name: string) => Provider | undefined): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (let after = ''; ; ) {
    const { rows } = await client.query<{ id: Id<'intg'>; provider: string; settings: unknown; secrets: string[] }>(
      'select id, provider, settings, secrets from integrations where id > $1 order by id limit $2',
      [after, pageSize],
    );
    for (const row of rows) for (const name of keysOf(providerNamed(row.provider), row)) counts.set(name, (counts.get(name) ?? 0) + 1);
    const last = rows.at(-1);
    if (!last) return counts;
    after = last.id;
  }
}

/** What the settings of a provider hold that is not installed, nobody can tell. */
function keysOf(provider: Provider | undefined, { settings, secrets }: { settings: unknown; secrets: readonly string[] }): Set<string> {
  const names = new Set<string>();
  const look = (text: string): string => {
    names.add(isSealed(text) ? sealedBy(text) : 'unsealed');
    return text;
  };
  if (provider) mapSecrets(provider.settings, settings, look);
  secrets.forEach(look);
  return names;
}
