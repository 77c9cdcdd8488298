import { webhook } from '../integrations/webhook/webhook.ts';
import { newId, type Id } from '../src/events/id.ts';
import { householdDefinition, householdResponses } from '../test/support/household.ts';
import { withClient } from './world.ts';

/** The household survey of an organisation of its own. */
export interface Survey {
  organizationId: Id<'org'>;
  formId: Id<'form'>;
}

export async function createSurvey(databaseUrl: string): Promise<Survey> {
  const [organizationId, userId, formId] = [newId('org'), newId('usr'), newId('form')];
  await withClient(databaseUrl, async (client) => {
    await client.query('insert into organizations (id, name, created_at) values ($1, $1, now())', [organizationId]);
    await client.query(
      `insert into users (id, organization_id, username, email, password_hash, created_at) values ($1, $2, $1, $1, '', now())`,
      [userId, organizationId],
    );
    await client.query(
      `insert into forms (id, organization_id, owner_id, title, metadata, status, version, created_at, updated_at)
       values ($1, $2, $3, 'Household survey', '{}', 'open', 1, now(), now())`,
      [formId, organizationId, userId],
    );
    await client.query('insert into form_versions (form_id, number, definition, created_at) values ($1, 1, $2, now())', [formId, householdDefinition()]);
  });
  return { organizationId, formId };
}

/** Connects a webhook to the survey. */
export async function connectWebhook(databaseUrl: string, options: Survey & { url: string }): Promise<{ id: Id<'intg'>; secret: string }> {
  const { organizationId, formId, url } = options;
  const [id, secret] = [newId('intg'), webhook.createSecret?.() ?? ''];
  await withClient(databaseUrl, (client) =>
    client.query(
      `with bumped as (update organizations set integrations_version = integrations_version + 1 where id = $2 returning integrations_version)
       insert into integrations (id, organization_id, form_id, provider, name, status, events, settings, secrets, since_version, created_at, updated_at)
       select $1, $2, $3, 'webhook', 'Receiver', 'active', '["response.created"]', $4, $5, integrations_version, now(), now() from bumped`,
      [id, organizationId, formId, JSON.stringify({ url }), JSON.stringify([secret])],
    ),
  );
  return { id, secret };
}

/** Stands where each request puts a client id of its own; as long as those are. */
export const clientIdMark = '@'.repeat(16);

const single = 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { code message } } }';
const many = 'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { response { id } errors { code } } errors { code } } }';

/** The bodies of requests that submit the survey's 500 responses, one in each. */
export function singleSubmissions(formId: string): string[] {
  return householdResponses(formId).map((input) => JSON.stringify({ query: single, variables: { input: { ...input, clientId: clientIdMark } } }));
}

/** The body of a request that submits all 500 at once. */
export function bulkSubmission(formId: string): string {
  const responses = householdResponses(formId).map((response) => ({ ...response, clientId: clientIdMark }));
  return JSON.stringify({ query: many, variables: { input: { responses } } });
}
