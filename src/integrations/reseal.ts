import type { Pool } from 'pg';
import type { Provider } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';
import type { Log } from '../log.ts';
import type { Sealer } from '../sealing.ts';
import { resealed } from './sealed-settings.ts';

interface StoredSecrets {
  id: Id<'intg'>;
  provider: string;
  settings: unknown;
  secrets: string[];
}

const pageSize = 200;

/**
 * Seals by the present key what is sealed by an older one, or not at all yet: after that, the old key may go. What an
 * owner changes at the same moment is left to them. Answers how many integrations it has sealed anew.
 */
export async function resealAll(deps: { pool: Pool; sealer: Sealer; providerNamed: (name: string) => Provider | undefined; log: Log }): Promise<number> {
  const { pool, log } = deps;
  let count = 0;
  let after = '';
  for (;;) {
    const { rows } = await pool.query<StoredSecrets>(
      'select id, provider, settings, secrets from integrations where id > $1 order by id limit $2',
      [after, pageSize],
    );
    for (const row of rows) if (await resealOne(deps, row)) count += 1;
    const last = rows.at(-1);
    if (!last) break;
    after = last.id;
  }
  if (count > 0) log.info({ count }, 'secrets.resealed');
  return count;
}

async function resealOne({ pool, sealer, providerNamed, log }: Parameters<typeof resealAll>[0], row: StoredSecrets): Promise<boolean> {
  const provider = providerNamed(row.provider);
  if (!provider) return false;
  try {
    const sealed = resealed(provider, row, sealer);
    if (sealed === row) return false;
    const { rowCount } = await pool.query(
      'update integrations set settings = $2, secrets = $3 where id = $1 and settings = $4 and secrets = $5',
      [row.id, JSON.stringify(sealed.settings), JSON.stringify(sealed.secrets), JSON.stringify(row.settings), JSON.stringify(row.secrets)],
    );
    return rowCount === 1;
  } catch (error) {
    log.error({ integrationId: row.id, err: error }, 'secrets.unreadable');
    return false;
  }
}
