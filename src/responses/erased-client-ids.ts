import { hash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';

/** What is kept of a client id whose response was erased: enough to know it again in its form, and nowhere else. */
export const erasedClientIdHash = (key: { formId: string; clientId: string }): string => hash('sha256', `${key.formId}\n${key.clientId}`, 'base64url');

/**
 * Keeps the hashes of client ids, and has every process read the form again before it writes another response to it: so
 * it learns that its client ids must be looked at.
 */
export async function rememberErasedClientIds(client: PoolClient, { formId, clientIds }: { formId: string; clientIds: readonly string[] }): Promise<void> {
  const hashes = clientIds.map((clientId) => erasedClientIdHash({ formId, clientId }));
  await client.query('insert into erased_client_ids (form_id, hash) select $1, unnest($2::text[]) on conflict do nothing', [formId, hashes]);
  await client.query('update forms set intake_version = intake_version + 1 where id = $1', [formId]);
}

/** Whether a form has erased the response of this client id. */
export async function isErasedClientId(pool: Pool, key: { formId: string; clientId: string }): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'find-erased-client-id',
    text: 'select 1 from erased_client_ids where form_id = $1 and hash = $2',
    values: [key.formId, erasedClientIdHash(key)],
  });
  return rowCount === 1;
}
