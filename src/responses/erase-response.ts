import type { Pool, PoolClient } from 'pg';
import { throughTrouble } from '../database-trouble.ts';
import { eraseDeliveries } from '../deliveries/erase-deliveries.ts';
import type { Event } from '../events/event.ts';
import { isId, newId, type Id } from '../events/id.ts';
import { waitForWriters } from '../forms/response-writers.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { forgetDifferences } from '../jobs/forget-differences.ts';
import { inTransaction } from '../transaction.ts';
import { UserError } from '../user-error.ts';
import { rememberErasedClientIds } from './erased-client-ids.ts';
import type { SubmittedResponse } from './find-response.ts';
import { rebuildEvents, type RebuildDeps } from './rebuild-events.ts';
import { readErased } from './response-rows.ts';

export interface EraseDeps extends RebuildDeps {
  pool: Pool;
  /** Called with the event once the erasure is committed; must not wait or throw. */
  onCommitted: (events: readonly Event[]) => void;
}

const throughTroubleMs = 10_000;

/**
 * Erases a response that the viewer's organisation owns, in all its revisions, from a deleted form too: what was
 * answered, by whom, and what receivers said to it. Its rows stay, empty, with when and by whom; what was still to be
 * delivered is canceled; `response.deleted` goes out. All of that is one transaction. Answers the last revision as it
 * is now; the same again changes nothing and answers the same. Throws UserError where there is no such response.
 */
export async function eraseResponse(
  deps: EraseDeps,
  { viewer, responseId }: { viewer: Pick<Viewer, 'organizationId' | 'userId'>; responseId: string },
): Promise<SubmittedResponse> {
  const { pool } = deps;
  const erased = isId('resp', responseId)
    ? await throughTrouble(() => inTransaction(pool, (client) => eraseFamily(client, { ...viewer, responseId })), throughTroubleMs)
    : undefined;
  if (!erased) throw new UserError('NOT_FOUND', 'Your organisation has no response with this id.', ['responseId']);
  await forgetClientIds(pool, erased.familyId);
  if (erased.event) deps.onCommitted(await rebuildEvents(deps, [erased.event]));
  return readErased(pool, { organizationId: viewer.organizationId, familyId: erased.familyId });
}

interface Key {
  organizationId: Id<'org'>;
  userId: Id<'usr'>;
  responseId: Id<'resp'>;
}

/** Whoever adds to the family holds a lock of its first revision that this one waits for, or waits for this one. */
const lockFirst = `
  select r.id as "familyId", r.form_id as "formId", r.erased_at as "erasedAt"
  from responses r
  join forms f on f.id = r.form_id and f.organization_id = $2
  where r.id = (select family_id from responses where id = $1)
  for update of r`;

async function eraseFamily(client: PoolClient, key: Key): Promise<{ familyId: Id<'resp'>; event?: DeletedEvent } | undefined> {
  const { rows } = await client.query<{ familyId: Id<'resp'>; formId: Id<'form'>; erasedAt: Date | null }>(lockFirst, [key.responseId, key.organizationId]);
  const [first] = rows;
  if (!first || first.erasedAt) return first && { familyId: first.familyId };
  const { familyId, formId } = first;
  const { organizationId } = key;
  const erasedAt = new Date();
  const revisions = await emptyRows(client, { familyId, erasedAt, userId: key.userId });
  const clientIds = revisions.flatMap(({ clientId }) => clientId ?? []);
  if (clientIds.length > 0) await rememberErasedClientIds(client, { formId, clientIds });
  await forgetDifferences(client, { organizationId, responseIds: revisions.map(({ id }) => id) });
  await eraseDeliveries(client, { organizationId, formId, responseIds: revisions.map(({ id }) => id), erasedAt });
  const last = revisions.reduce((one, other) => (one.revision > other.revision ? one : other));
  return { familyId, event: await queueDeleted(client, { organizationId, formId, responseId: last.id }) };
}

interface EmptiedRow {
  id: Id<'resp'>;
  revision: number;
  clientId: string | null;
}

/** The client ids stay for a moment, see `forgetClientIds`. */
const empty = `
  update responses
  set answers = '{}', respondent = '{}', collector = '{}', metadata = '{}', content_hash = null, respondent_key = null, review_state = null,
      flags = null, erased_at = $2, erased_by_id = $3
  where family_id = $1
  returning id, revision, client_id as "clientId"`;

async function emptyRows(client: PoolClient, { familyId, erasedAt, userId }: { familyId: Id<'resp'>; erasedAt: Date; userId: Id<'usr'> }): Promise<EmptiedRow[]> {
  await client.query('delete from reviews where family_id = $1', [familyId]);
  const { rows } = await client.query<EmptiedRow>(empty, [familyId, erasedAt, userId]);
  return rows;
}

interface DeletedEvent {
  eventId: Id<'evt'>;
  type: 'response.deleted';
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  position: number;
  integrationsVersion: number;
}

const queue = `
  insert into outbox (event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
  select $1, 'response.deleted', o.id, $3, $4, o.integrations_version, now() from organizations o where o.id = $2
  returning position::float8 as position, integrations_version as "integrationsVersion"`;

async function queueDeleted(client: PoolClient, of: Pick<DeletedEvent, 'organizationId' | 'formId' | 'responseId'>): Promise<DeletedEvent> {
  const eventId = newId('evt');
  const { rows } = await client.query<Pick<DeletedEvent, 'position' | 'integrationsVersion'>>(queue, [eventId, of.organizationId, of.formId, of.responseId]);
  const [place] = rows;
  if (!place) throw new Error(`${of.organizationId} is missing`);
  return { ...of, ...place, eventId, type: 'response.deleted' };
}

const hasClientIds = 'select 1 from responses where family_id = $1 and client_id is not null limit 1';
const dropClientIds = 'update responses set client_id = null where family_id = $1 and client_id is not null';

/**
 * Takes the client ids from the empty rows. Not in the transaction that empties them: a statement that began before its
 * commit, with a client id of the response, would then meet neither the row nor the hash, and bring the response back.
 * Once all such statements are through, every other has read the form anew and looks for the hash. If this fails the
 * caller is told to try again, and the next call ends it.
 */
async function forgetClientIds(pool: Pool, familyId: Id<'resp'>): Promise<void> {
  if ((await pool.query(hasClientIds, [familyId])).rowCount === 0) return;
  await waitForWriters(pool, 'The response is erased, but for its client ids, which are still in use; try again.');
  await pool.query(dropClientIds, [familyId]);
}
