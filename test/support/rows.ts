import type { Pool } from 'pg';
import type { Json } from '../../src/events/canonical-json.ts';
import type { Flag } from '../../src/events/flag.ts';
import type { EventType } from '../../src/events/event.ts';
import { newId, type Id } from '../../src/events/id.ts';
import type { DeliveryStatus } from '../../src/deliveries/delivery.entity.ts';
import type { FormDefinition } from '../../src/forms/form-definition.ts';
import type { IntegrationStatus } from '../../src/integrations/integration.entity.ts';
import type { JobInput, JobKind, JobStatus } from '../../src/jobs/job.entity.ts';
import type { Collector, Respondent, StoredAnswers } from '../../src/responses/response.entity.ts';

/** Rows as the write path and the dispatcher leave them, for tests of what reads them. */

export interface ResponseDetails {
  formId: Id<'form'>;
  id?: Id<'resp'>;
  formVersion?: number;
  clientId?: string | null;
  familyId?: Id<'resp'>;
  revision?: number;
  submittedAt?: Date;
  answers?: StoredAnswers;
  respondent?: Respondent;
  collector?: Collector;
  metadata?: Json;
  flags?: Flag[] | null;
}

export async function insertResponse(pool: Pool, details: ResponseDetails): Promise<Id<'resp'>> {
  const id = details.id ?? newId('resp');
  await pool.query(
    `insert into responses (id, form_id, form_version, client_id, family_id, revision, submitted_at, answers, respondent, collector, metadata, flags)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
    [
      id,
      details.formId,
      details.formVersion ?? 1,
      details.clientId ?? null,
      details.familyId ?? id,
      details.revision ?? 1,
      details.submittedAt ?? new Date(),
      JSON.stringify(details.answers ?? {}),
      JSON.stringify(details.respondent ?? {}),
      JSON.stringify(details.collector ?? {}),
      JSON.stringify(details.metadata ?? {}),
      details.flags ? JSON.stringify(details.flags) : null,
    ],
  );
  return id;
}

/** An event that waits to be dispatched. */
export async function insertOutboxRow(pool: Pool, event: { organizationId: Id<'org'>; formId: Id<'form'>; responseId: Id<'resp'>; type?: EventType }): Promise<Id<'evt'>> {
  const id = newId('evt');
  await pool.query(
    `insert into outbox (event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
     values ($1, $2, $3, $4, $5, 0, now())`,
    [id, event.type ?? 'response.created', event.organizationId, event.formId, event.responseId],
  );
  return id;
}

export interface DeliveryDetails {
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  integrationId: Id<'intg'>;
  eventId?: Id<'evt'>;
  status?: DeliveryStatus;
  reason?: string | null;
  errorClass?: string | null;
  attempts?: number;
  createdAt?: Date;
  nextAttemptAt?: Date | null;
  finishedAt?: Date | null;
  claimedBy?: Id<'dsp'> | null;
  claimExpiresAt?: Date | null;
}

export async function insertDelivery(pool: Pool, details: DeliveryDetails): Promise<Id<'dlv'>> {
  const id = newId('dlv');
  await pool.query(
    `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition,
                             status, reason, attempts, next_attempt_at, claimed_by, claim_expires_at, created_at, finished_at, error_class)
     values ($1, $2, 'response.created', 1, $3, $4, $5, $6, 0, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      id,
      details.eventId ?? newId('evt'),
      details.organizationId,
      details.formId,
      details.responseId,
      details.integrationId,
      details.status ?? 'delivered',
      details.reason ?? null,
      details.attempts ?? 1,
      details.nextAttemptAt ?? null,
      details.claimedBy ?? null,
      details.claimExpiresAt ?? null,
      details.createdAt ?? new Date(),
      details.finishedAt ?? null,
      details.errorClass ?? null,
    ],
  );
  return id;
}

export async function insertAttempt(
  pool: Pool,
  attempt: { deliveryId: Id<'dlv'>; number: number; outcome?: string; httpStatus?: number; errorClass?: string; error?: string; responseBody?: string },
): Promise<void> {
  const { deliveryId, number, outcome = 'delivered', httpStatus, errorClass, error, responseBody } = attempt;
  await pool.query(
    `insert into attempts (delivery_id, number, at, duration_ms, outcome, http_status, error_class, error, response_body)
     values ($1, $2, now(), 12, $3, $4, $5, $6, $7)`,
    [deliveryId, number, outcome, httpStatus ?? null, errorClass ?? null, error ?? null, responseBody ?? null],
  );
}

export interface TenantRows {
  organizationId: Id<'org'>;
  userId: Id<'usr'>;
}

/** An organisation and its one user. */
export async function insertTenant(pool: Pool): Promise<TenantRows> {
  const organizationId = newId('org');
  const userId = newId('usr');
  await pool.query(`insert into organizations (id, name, created_at) values ($1, 'Test', now())`, [organizationId]);
  await pool.query(
    `insert into users (id, organization_id, username, email, password_hash, created_at) values ($1, $2, $1, $1 || '@example.org', '', now())`,
    [userId, organizationId],
  );
  return { organizationId, userId };
}

/** An open form of one version, with its questions and choices. */
export async function insertForm(pool: Pool, tenant: TenantRows, definition: FormDefinition): Promise<Id<'form'>> {
  const formId = newId('form');
  await pool.query(
    `insert into forms (id, organization_id, owner_id, title, metadata, status, version, created_at, updated_at)
     values ($1, $2, $3, $4, '{}', 'open', 1, now(), now())`,
    [formId, tenant.organizationId, tenant.userId, definition.title],
  );
  await pool.query(`insert into form_versions (form_id, number, definition, created_at) values ($1, 1, $2, now())`, [formId, JSON.stringify(definition)]);
  for (const [position, question] of definition.questions.entries()) {
    await pool.query(
      `insert into questions (id, form_id, key, text, kind, required, min, max, metadata, position, created_at, updated_at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)`,
      [
        question.id, formId, question.key, question.text, question.kind, question.required, question.min, question.max,
        JSON.stringify(question.metadata), position, question.createdAt,
      ],
    );
    for (const [place, choice] of question.choices.entries()) {
      await pool.query(
        `insert into choices (id, question_id, text, metadata, position, created_at) values ($1, $2, $3, $4, $5, $6)`,
        [choice.id, question.id, choice.text, JSON.stringify(choice.metadata), place, question.createdAt],
      );
    }
  }
  return formId;
}

export interface IntegrationDetails extends TenantRows {
  formId?: Id<'form'> | null;
  status?: IntegrationStatus;
  deletedAt?: Date | null;
}

export async function insertIntegration(pool: Pool, details: IntegrationDetails): Promise<Id<'intg'>> {
  const id = newId('intg');
  await pool.query(
    `insert into integrations (id, organization_id, form_id, provider, name, status, events, settings, secrets, since_version, created_at, updated_at, deleted_at)
     values ($1, $2, $3, 'webhook', 'Hook', $4, '["response.created"]', '{"url":"https://example.com"}', '["whsec_c2VjcmV0"]', 0, now(), now(), $5)`,
    [id, details.organizationId, details.formId ?? null, details.status ?? 'active', details.deletedAt ?? null],
  );
  return id;
}

export interface JobDetails {
  organizationId: Id<'org'>;
  integrationId: Id<'intg'>;
  kind: JobKind;
  input?: JobInput;
  status?: JobStatus;
}

export async function insertJob(pool: Pool, details: JobDetails): Promise<Id<'job'>> {
  const id = newId('job');
  const { organizationId, integrationId, kind, input = {}, status = 'waiting' } = details;
  await pool.query(
    `insert into jobs (id, organization_id, integration_id, kind, status, asked, input, progress, attempts, next_attempt_at, created_at)
     values ($1, $2, $3, $4, $5, 1, $6, '{"done":0,"made":0}', 0, now() - interval '1 second', now())`,
    [id, organizationId, integrationId, kind, status, JSON.stringify(input)],
  );
  return id;
}
