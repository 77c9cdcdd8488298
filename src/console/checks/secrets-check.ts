import type { Pool } from 'pg';
import type { Provider } from '../../../integrations/provider.ts';
import type { Id } from '../../events/id.ts';
import { openSettings } from '../../integrations/sealed-settings.ts';
import type { Sealer } from '../../sealing.ts';
import { countOf } from '../words.ts';
import { sound, wrong, type Finding } from './finding.ts';

const pageSize = 1_000;

/** Whether the keys of the configuration open what is stored: every integration that is not deleted is tried. */
export async function checkSecrets(pool: Pool, { sealer, providerNamed }: { sealer: Sealer; providerNamed: (name: string) => Provider | undefined }): Promise<Finding[]> {
  const closed: Id<'intg'>[] = [];
  const orphaned = new Set<string>();
  let count = 0;
  for (let after = ''; ; ) {
    const { rows } = await pool.query<{ id: Id<'intg'>; provider: string; settings: unknown; secrets: string[] }>(
      'select id, provider, settings, secrets from integrations where deleted_at is null and id > $1 order by id limit $2',
      [after, pageSize],
    );
    for (const row of rows) {
      const provider = providerNamed(row.provider);
      if (!provider) orphaned.add(row.provider);
      else if (!opens(() => openSettings(provider, row, sealer))) closed.push(row.id);
    }
    count += rows.length;
    after = rows.at(-1)?.id ?? '';
    if (rows.length < pageSize) break;
  }
  return [
    closed.length === 0
      ? sound('secrets', `open, of ${countOf(count, 'integration')}`)
      : wrong('secrets', `${countOf(closed.length, 'integration')} cannot be opened, ${closed[0]} for one`, 'Put the key that sealed them into FORMWIRE_SECRETS_OLD_KEYS, or have their owners give their settings anew.'),
    ...(orphaned.size > 0 ? [wrong('providers', `integrations with a provider that is not installed: ${[...orphaned].join(', ')}`, 'Install it again (integrations/index.ts), or delete these integrations.')] : []),
  ];
}

function opens(open: () => unknown): boolean {
  try {
    open();
    return true;
  } catch {
    return false;
  }
}
