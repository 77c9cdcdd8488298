import type { Pool } from 'pg';
import { noteTrackings } from '../../src/deliveries/note-trackings.ts';
import { newId, type Id } from '../../src/events/id.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';
import type { DeliveryApi } from './delivery-api.ts';
import { insertAttempt, insertDelivery, insertJob, insertOutboxRow } from './rows.ts';

/** An organisation with at least one row in every table that the API reads for a viewer, and its viewer. */
export async function newTenant(api: DeliveryApi): Promise<Viewer> {
  const owner = await api.newOwner();
  const form = await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'SINGLE_CHOICE', choices: [{ text: 'A' }] }]);
  const run = (name: string, input: object, selection: string) =>
    api.gql(`mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} errors { message } } }`, { input }, owner.token);
  await run('createApiKey', { name: 'Key', scopes: ['OPERATE'] }, 'key');
  await run('inviteMember', { email: 'partner@example.org', role: 'PARTNER', formIds: [form.id] }, 'token');
  await run('addSection', { formId: form.id, section: { title: 'Section' } }, 'section { id }');
  const { createIntegration } = await run('createIntegration', { formId: form.id, settings: { webhook: { url: 'https://example.com' } } }, 'integration { id }');
  const { submitResponse } = await run('submitResponse', { formId: form.id, answers: [{ key: 'q', value: 'A' }] }, 'response { id }');
  await insertOutboxRow(api.pool, { organizationId: owner.organizationId, formId: form.id, responseId: submitResponse.response.id, type: 'response.amended' });
  await run('setReviewState', { responseId: submitResponse.response.id, state: 'APPROVED' }, 'response { id }');
  const deliveryId = await insertDelivery(api.pool, {
    organizationId: owner.organizationId, formId: form.id,
    responseId: submitResponse.response.id,
    integrationId: createIntegration.integration.id,
  });
  await api.pool.query('insert into form_grants (membership_id, form_id) select id, $2 from memberships where user_id = $1', [owner.userId, form.id]);
  await insertAttempt(api.pool, { deliveryId, number: 1 });
  await noteTrackings(api.pool, {
    integrationId: createIntegration.integration.id,
    trackings: [{ eventId: newId('evt'), reference: 'SM1', status: 'sent', rank: 1, isFinal: false }],
  });
  await insertJob(api.pool, { organizationId: owner.organizationId, integrationId: createIntegration.integration.id, kind: 'verify' });
  return viewerOf(owner);
}

/** Somebody who is logged in. */
export const viewerOf = ({ userId, organizationId }: { userId: Id<'usr'>; organizationId: Id<'org'> }): Viewer => ({
  userId, organizationId,
  credential: { kind: 'session', id: newId('ses'), role: 'owner' },
});

/** What the database says of each of its tables. */
export interface TableSecurity {
  name: string;
  isSecured: boolean;
  policies: number;
  /** Whether the reader may do anything with it. */
  isGranted: boolean;
}

export async function readTableSecurity(pool: Pool): Promise<TableSecurity[]> {
  const { rows } = await pool.query<TableSecurity>(`
    select c.relname as name, c.relrowsecurity as "isSecured",
           (select count(*)::int from pg_policy p where p.polrelid = c.oid and p.polroles = array['formwire_reader'::regrole::oid]) as policies,
           has_table_privilege('formwire_reader', c.oid, 'select, insert, update, delete, truncate') as "isGranted"
    from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = current_schema()::regnamespace
    order by c.relname`);
  return rows;
}
