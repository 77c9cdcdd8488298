import { Client, type Pool } from 'pg';
import { expect } from 'vitest';
import { rulesSettings } from '../../integrations/rules/settings.ts';
import { webhook } from '../../integrations/webhook/webhook.ts';
import { openPipeline, type Pipeline, type Step } from '../../src/bin/compose.ts';
import { parseConfig } from '../../src/config.ts';
import type { EventType } from '../../src/events/event.ts';
import { newId, type Id } from '../../src/events/id.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';
import { silentLog, type Log } from '../../src/log.ts';
import type { Metrics } from '../../src/monitoring/metrics.ts';
import { amendResponse, type AmendResponseInput } from '../../src/responses/amend-response.ts';
import { eraseResponse } from '../../src/responses/erase-response.ts';
import type { SubmittedResponse } from '../../src/responses/find-response.ts';
import type { Tracing } from '../../src/tracing/tracing.ts';
import { testSealer } from './sealer.ts';
import { householdDefinition, householdResponses, householdRules } from './household.ts';

/** Retries in milliseconds, leases in seconds: what takes days in service takes moments here, and one address is many collectors. */
export const fastSettings = {
  FORMWIRE_RETRY_SCHEDULE: '50ms,100ms,200ms,400ms,800ms,800ms,800ms,800ms,800ms',
  FORMWIRE_RETRY_POLL: '50ms',
  FORMWIRE_SWEEP_AFTER: '1s',
  FORMWIRE_LEASE: '2s',
  FORMWIRE_RATE_ADDRESS: '100000:1000000',
  FORMWIRE_RATE_FORM: '100000:1000000',
};

export interface TestPipeline extends Pipeline, AsyncDisposable {
  /** Stops as a process does on SIGTERM. */
  stop(): Promise<void>;
  /** Stops as if the process had been killed: nothing in flight is recorded, no lease is given up. */
  abandon(): Promise<void>;
}

/** The pipeline of one process, running. */
export function startPipeline(options: {
  databaseUrl: string;
  natsUrl: string;
  settings?: Record<string, string>;
  log?: Log;
  onStep?: (step: Step) => void;
  hooks?: Metrics['hooks'];
  tracing?: Tracing | undefined;
}): TestPipeline {
  const { databaseUrl, natsUrl, settings = {}, log = silentLog, onStep, hooks, tracing } = options;
  const config = parseConfig({ ...fastSettings, ...settings });
  const pipeline = openPipeline({ config, databaseUrl, natsUrl, sealer: testSealer, allowLoopback: config.FORMWIRE_ALLOW_LOOPBACK ?? true, log, onStep, hooks, tracing });
  const stopping = new AbortController();
  const running = Promise.all(pipeline.runnables.map((runnable) => runnable.run(stopping.signal)));
  let isClosed = false;
  const stop = async (): Promise<void> => {
    if (isClosed) return;
    isClosed = true;
    stopping.abort();
    await running;
    await pipeline.close();
  };
  return { ...pipeline, stop, abandon: stop, [Symbol.asyncDispose]: stop };
}

export interface TestForm {
  organizationId: Id<'org'>;
  formId: Id<'form'>;
}

/** A household survey of a new organisation, as rows. */
export async function seedForm(databaseUrl: string): Promise<TestForm> {
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

export interface TestIntegration {
  id: Id<'intg'>;
  secret: string;
}

/** A webhook of a form, from the next response on. */
export async function seedWebhook(
  databaseUrl: string,
  webhookOptions: TestForm & { url: string; ordered?: boolean; status?: string; everyForm?: boolean; events?: readonly EventType[] },
): Promise<TestIntegration> {
  const { organizationId, formId, url, ordered = false, status = 'active', everyForm = false, events = ['response.created'] } = webhookOptions;
  const id = newId('intg');
  const secret = webhook.createSecret?.() ?? '';
  await withClient(databaseUrl, async (client) => {
    await client.query(
      `with bumped as (update organizations set integrations_version = integrations_version + 1 where id = $2 returning integrations_version)
       insert into integrations (id, organization_id, form_id, provider, name, status, events, settings, secrets, since_version, created_at, updated_at)
       select $1, $2, $3, 'webhook', 'Webhook', $4, $7, $5, $6, integrations_version, now(), now() from bumped`,
      [id, organizationId, everyForm ? null : formId, status, JSON.stringify({ url, ordered }), JSON.stringify([secret]), JSON.stringify(events)],
    );
  });
  return { id, secret };
}

/** The survey's own rules, from the next response on. */
export async function seedRules(databaseUrl: string, { organizationId, formId }: TestForm): Promise<Id<'intg'>> {
  const id = newId('intg');
  const settings = rulesSettings.parse({ rules: householdRules().rules });
  await withClient(databaseUrl, async (client) => {
    await client.query(
      `with taken as (update forms set intake_version = intake_version + 1 where id = $3)
       insert into integrations (id, organization_id, form_id, provider, name, status, events, settings, secrets, since_version, created_at, updated_at)
       select $1, $2, $3, 'rules', 'Rules', 'active', '[]', $4, '[]', 0, now(), now()`,
      [id, organizationId, formId, JSON.stringify(settings)],
    );
  });
  return id;
}

/** Submits the survey's responses, `count` of them, and answers their ids. */
export async function submitHousehold(pipeline: Pick<Pipeline, 'submitter'>, options: { formId: string; count: number; prefix?: string }): Promise<Id<'resp'>[]> {
  const { formId, count, prefix = '' } = options;
  const inputs = householdResponses(formId);
  const some = Array.from({ length: count }, (_, index) => {
    const input = inputs[index % inputs.length];
    if (!input) throw new Error('no household responses');
    return { ...input, clientId: `${prefix}${index}` };
  });
  const results = await pipeline.submitter.submitMany(some);
  return results.map((result) => {
    if ('faults' in result) throw new Error(JSON.stringify(result.faults));
    return result.response.id;
  });
}

/** Somebody who may change the responses of an organisation. */
export const editorOf = (organizationId: Id<'org'>): Viewer => ({ organizationId, userId: newId('usr'), credential: { kind: 'session', id: newId('ses'), role: 'editor' } });

/** Amends a response as somebody of its organisation would, with what stands in `input`. */
export const amendInPipeline = (
  { pool, forms, checks, onCommitted }: Pick<Pipeline, 'pool' | 'forms' | 'checks' | 'onCommitted'>,
  { organizationId, ...input }: AmendResponseInput & { organizationId: Id<'org'> },
): Promise<SubmittedResponse> => amendResponse({ pool, forms, checks, onCommitted }, { viewer: editorOf(organizationId), input });

/** Erases a response as somebody of its organisation would. */
export const eraseInPipeline = (
  { pool, forms, onCommitted }: Pick<Pipeline, 'pool' | 'forms' | 'onCommitted'>,
  { organizationId, responseId }: { organizationId: Id<'org'>; responseId: string },
): Promise<SubmittedResponse> => eraseResponse({ pool, forms, onCommitted }, { viewer: editorOf(organizationId), responseId });

/** What the database says of all there is. */
export interface Tally {
  responses: number;
  outbox: number;
  delivered: number;
  pending: number;
  dead: number;
  canceled: number;
  attempts: number;
}

export async function tally(pool: Pick<Pool, 'query'>): Promise<Tally> {
  const { rows } = await pool.query<Tally>(`
    select (select count(*)::int from responses) as responses, (select count(*)::int from outbox) as outbox,
           count(*) filter (where status = 'delivered')::int as delivered, count(*) filter (where status = 'pending')::int as pending,
           count(*) filter (where status = 'dead')::int as dead, count(*) filter (where status = 'canceled')::int as canceled,
           (select count(*)::int from attempts) as attempts
    from deliveries`);
  const [row] = rows;
  if (!row) throw new Error('no tally');
  return row;
}

/** Waits until the database says so. */
export async function waitForTally(pool: Pick<Pool, 'query'>, expected: Partial<Tally>, withinMs = 25_000): Promise<Tally> {
  await expect.poll(() => tally(pool), { timeout: withinMs, interval: 25 }).toMatchObject(expected);
  return tally(pool);
}

export async function withClient<T>(databaseUrl: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
