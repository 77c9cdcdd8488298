import type { Pool } from 'pg';
import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { AttemptOutcome } from './attempt.entity.ts';
import type { DeliveryStatus } from './delivery.entity.ts';

/** A partition as its owner holds it; the epoch tells its writes from those of an owner it has lost it to. */
export interface Lease {
  partition: number;
  epoch: number;
}

/** One try, for the log of attempts. */
export interface AttemptRecord {
  number: number;
  at: Date;
  durationMs: number;
  outcome: AttemptOutcome;
  httpStatus: number | null;
  errorClass: string | null;
  error: string | null;
  responseBody: string | null;
}

/** Where a delivery stands now. */
export interface DeliveryState {
  status: DeliveryStatus;
  reason: string | null;
  attempts: number;
  nextAttemptAt: Date | null;
  finishedAt: Date | null;
  /** Absent where no attempt was made: the delivery was spilled. */
  attempt: AttemptRecord | undefined;
}

/** The first outcome of a delivery. */
export interface FirstOutcome extends DeliveryState {
  id: Id<'dlv'>;
  eventId: Id<'evt'>;
  eventType: EventType;
  position: number;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  integrationId: Id<'intg'>;
  lease: Lease;
}

/** An event all of whose outcomes are recorded, or in the same call: its outbox row can go. */
export interface FinishedEvent {
  position: number;
  lease: Lease;
}

/** A later outcome of a delivery that was claimed. */
export interface RetryOutcome extends DeliveryState {
  id: Id<'dlv'>;
  formId: Id<'form'>;
  lease: Lease;
}

/**
 * Only what concerns a partition that is still held under the same epoch is written. The share lock makes a change of
 * hands wait for this commit, or this statement see it.
 */
const heldLeases = (owner: string) =>
  `select partition, epoch from partition_leases where owner = ${owner} for share`;

const finishedGo = (positions: string, partitions: string, epochs: string) => `
    delete from outbox
    using unnest(${positions}::bigint[], ${partitions}::smallint[], ${epochs}::int[]) as event(position, partition, epoch)
    join held using (partition, epoch)
    where outbox.position = event.position`;

const recordFirst = `
  with held as (${heldLeases('$1')}),
  input as (
    select * from unnest(
      $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[],
      $10::smallint[], $11::int[], $12::text[], $13::text[], $14::int[], $15::timestamptz[], $16::timestamptz[],
      $17::timestamptz[], $18::int[], $19::text[], $20::smallint[], $21::text[], $22::text[], $23::text[]
    ) as input (
      id, event_id, event_type, position, organization_id, form_id, response_id, integration_id,
      partition, epoch, status, reason, attempts, next_attempt_at, finished_at,
      attempted_at, duration_ms, outcome, http_status, error_class, error, response_body
    )
  ), recorded as (
    insert into deliveries (
      id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition,
      status, reason, error_class, attempts, last_attempt_at, next_attempt_at, created_at, finished_at
    )
    select i.id, i.event_id, i.event_type, i.position, i.organization_id, i.form_id, i.response_id, i.integration_id,
           i.partition, i.status, i.reason, i.error_class, i.attempts, i.attempted_at, i.next_attempt_at, now(), i.finished_at
    from input i join held using (partition, epoch)
    on conflict (event_id, integration_id) do nothing
    returning id
  ), logged as (
    insert into attempts (delivery_id, number, at, duration_ms, outcome, http_status, error_class, error, response_body)
    select i.id, i.attempts, i.attempted_at, i.duration_ms, i.outcome, i.http_status, i.error_class, i.error, i.response_body
    from input i join recorded using (id)
    where i.attempted_at is not null
  ), finished as (${finishedGo('$24', '$25', '$26')})
  select partition, epoch from held`;

/**
 * Records first outcomes and lets go of the outbox rows of finished events, in one commit. Answers the leases that
 * were held: messages of others must not be acked. Repeating the call changes nothing.
 */
export async function recordFirstOutcomes(
  pool: Pool,
  batch: { owner: Id<'dsp'>; outcomes: readonly FirstOutcome[]; finished: readonly FinishedEvent[] },
): Promise<Lease[]> {
  const { owner, outcomes, finished } = batch;
  if (outcomes.length === 0) return letGo(pool, { owner, finished });
  const { rows } = await pool.query<Lease>({
    name: 'record-first-outcomes',
    text: recordFirst,
    values: [
      owner,
      outcomes.map((outcome) => outcome.id),
      outcomes.map((outcome) => outcome.eventId),
      outcomes.map((outcome) => outcome.eventType),
      outcomes.map((outcome) => outcome.position),
      outcomes.map((outcome) => outcome.organizationId),
      outcomes.map((outcome) => outcome.formId),
      outcomes.map((outcome) => outcome.responseId),
      outcomes.map((outcome) => outcome.integrationId),
      outcomes.map((outcome) => outcome.lease.partition),
      outcomes.map((outcome) => outcome.lease.epoch),
      ...stateColumns(outcomes),
      ...finishedColumns(finished),
    ],
  });
  return rows;
}

const deleteFinished = `
  with held as (${heldLeases('$1')}),
  finished as (${finishedGo('$2', '$3', '$4')})
  select partition, epoch from held`;

/** The same for events that no integration wants: without outcomes the statement is a tenth of the size. */
async function letGo(pool: Pool, batch: { owner: Id<'dsp'>; finished: readonly FinishedEvent[] }): Promise<Lease[]> {
  const { owner, finished } = batch;
  const { rows } = await pool.query<Lease>({ name: 'delete-finished', text: deleteFinished, values: [owner, ...finishedColumns(finished)] });
  return rows;
}

const finishedColumns = (finished: readonly FinishedEvent[]): number[][] => [
  finished.map((event) => event.position),
  finished.map((event) => event.lease.partition),
  finished.map((event) => event.lease.epoch),
];

const recordRetries = `
  with held as (${heldLeases('$1')}),
  input as (
    select * from unnest(
      $2::text[], $3::smallint[], $4::int[], $5::text[], $6::text[], $7::int[], $8::timestamptz[], $9::timestamptz[],
      $10::timestamptz[], $11::int[], $12::text[], $13::smallint[], $14::text[], $15::text[], $16::text[]
    ) as input (
      id, partition, epoch, status, reason, attempts, next_attempt_at, finished_at,
      attempted_at, duration_ms, outcome, http_status, error_class, error, response_body
    )
  ), valid as (
    select input.* from input join held using (partition, epoch)
  ), released as (
    update deliveries set claimed_by = null, claim_expires_at = null
    from input i
    where deliveries.id = i.id and deliveries.claimed_by = $1 and deliveries.status = 'pending'
      and not exists (select 1 from held where held.partition = i.partition and held.epoch = i.epoch)
  ), recorded as (
    update deliveries set
      status = i.status, reason = i.reason, attempts = i.attempts,
      error_class = case when i.attempted_at is null then deliveries.error_class else i.error_class end,
      last_attempt_at = coalesce(i.attempted_at, deliveries.last_attempt_at),
      next_attempt_at = i.next_attempt_at, finished_at = i.finished_at, claimed_by = null, claim_expires_at = null
    from valid i
    where deliveries.id = i.id and deliveries.claimed_by = $1 and deliveries.status = 'pending'
    returning deliveries.id
  )
  insert into attempts (delivery_id, number, at, duration_ms, outcome, http_status, error_class, error, response_body)
  select i.id, i.attempts, i.attempted_at, i.duration_ms, i.outcome, i.http_status, i.error_class,
         case when recorded.id is not null then i.error end, case when recorded.id is not null then i.response_body end
  from valid i
  left join recorded using (id)
  where i.attempted_at is not null
  on conflict do nothing`;

/**
 * Records what became of claimed deliveries and gives the claims up, also those under a lease that is over: the caller
 * may own the partition again, and would wait for itself. A delivery that was canceled or redelivered in the meantime
 * keeps its new state; the attempt is logged all the same, but without what the receiver said: its response may have
 * been erased, and nothing of it may come back.
 */
export async function recordRetryOutcomes(pool: Pool, batch: { owner: Id<'dsp'>; outcomes: readonly RetryOutcome[] }): Promise<void> {
  const { owner, outcomes } = batch;
  await pool.query({
    name: 'record-retry-outcomes',
    text: recordRetries,
    values: [
      owner,
      outcomes.map((outcome) => outcome.id),
      outcomes.map((outcome) => outcome.lease.partition),
      outcomes.map((outcome) => outcome.lease.epoch),
      ...stateColumns(outcomes),
    ],
  });
}

/** status, reason, attempts, next_attempt_at, finished_at, and the attempt's columns, in the statements' order. */
function stateColumns(states: readonly DeliveryState[]): unknown[][] {
  return [
    states.map((state) => state.status),
    states.map((state) => state.reason),
    states.map((state) => state.attempts),
    states.map((state) => state.nextAttemptAt),
    states.map((state) => state.finishedAt),
    states.map((state) => state.attempt?.at ?? null),
    states.map((state) => state.attempt?.durationMs ?? null),
    states.map((state) => state.attempt?.outcome ?? null),
    states.map((state) => state.attempt?.httpStatus ?? null),
    states.map((state) => state.attempt?.errorClass ?? null),
    states.map((state) => state.attempt?.error ?? null),
    states.map((state) => state.attempt?.responseBody ?? null),
  ];
}
