import type { Pool } from 'pg';
import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';

/** How much of an integration's pending deliveries may be claimed now, and which. */
export interface ClaimRequest {
  integrationId: Id<'intg'>;
  /** At most so many. */
  limit: number;
  /**
   * due: those whose time has come · drain: oldest first, also those that wait for no time but for the receiver ·
   * in order: of so many, oldest first without a gap, nothing before the oldest is ready · probe: the receiver is down,
   * so only the oldest when it is due, and what was redelivered by hand
   */
  mode: 'due' | 'drain' | 'in order' | 'probe';
  /** The receiver is back since then: what was tried before is due now. */
  recoveredAt: Date | undefined;
  /** In order: what is claimed already and will be sent before, or was and is not recorded yet, is no gap. */
  held: readonly Id<'dlv'>[];
}

/** A delivery in this dispatcher's hands until its claim runs out. */
export interface ClaimedDelivery {
  id: Id<'dlv'>;
  eventId: Id<'evt'>;
  type: EventType;
  position: number;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  integrationId: Id<'intg'>;
  partition: number;
  attempts: number;
  scheduleStart: number;
  replayId: Id<'rpl'> | null;
}

const pendingIntegrations = `
  with recursive hop as (
    (select integration_id from deliveries where status = 'pending' order by integration_id limit 1)
    union all
    select (
      select integration_id from deliveries
      where status = 'pending' and integration_id > hop.integration_id
      order by integration_id limit 1
    )
    from hop where hop.integration_id is not null
  )
  select integration_id as "integrationId" from hop where integration_id is not null`;

/** The integrations that have anything pending: one index look-up for each, however many deliveries they have. */
export async function integrationsWithPending(pool: Pool): Promise<Id<'intg'>[]> {
  const { rows } = await pool.query<{ integrationId: Id<'intg'> }>({ name: 'pending-integrations', text: pendingIntegrations });
  return rows.map((row) => row.integrationId);
}

/** The caller may have lost a partition without knowing: what another has claimed there must stay with it. */
const heldPartitions = `held as (select partition from partition_leases where owner = $1 and partition = any($2) for share)`;

/** A claim counts while it has not run out and its holder owns the partition; the caller owns these. */
const isFree = `(p.claimed_by is distinct from $1 or p.claim_expires_at < now())`;

/** No time is set where a delivery waits for its receiver to come back. */
const isReady = `(p.next_attempt_at is null or p.next_attempt_at <= now() or p.last_attempt_at < wanted.recovered_at)`;

const wanted = `unnest($4::text[], $5::int[], $6::timestamptz[]) as wanted(integration_id, most, recovered_at)`;
const pendingOfWanted = `p.integration_id = wanted.integration_id and p.status = 'pending' and p.partition = any(array(select partition from held))`;
/** What waited for no certain time gets one: should nothing come of this claim, the delivery is due when it has run out. */
const claimFound = `
  update deliveries d set claimed_by = $1, claim_expires_at = now() + make_interval(secs => $3 / 1000.0),
         next_attempt_at = coalesce(d.next_attempt_at, now())
  from due where d.id = due.id and d.status = 'pending'
  returning d.id, d.event_id as "eventId", d.event_type as type, d.position::float8 as position,
            d.organization_id as "organizationId", d.form_id as "formId", d.response_id as "responseId",
            d.integration_id as "integrationId", d.partition, d.attempts, d.schedule_start as "scheduleStart", d.replay_id as "replayId"`;

const claimEach = (rule: { ready: string; order: string }): string => `
  with ${heldPartitions}, due as (
    select found.id from ${wanted}
    cross join lateral (
      select p.id from deliveries p
      where ${pendingOfWanted} and ${rule.ready} and ${isFree}
      order by ${rule.order}
      limit wanted.most
      for update skip locked
    ) found
  ) ${claimFound}`;

const claimByTime = claimEach({ ready: 'p.next_attempt_at <= now()', order: 'p.next_attempt_at' });
const claimOldest = claimEach({ ready: isReady, order: 'p.position' });
/** A replay is no hand: it sends by the hundred, which a receiver that is down is spared. */
const claimByHand = claimEach({
  ready: 'p.next_attempt_at <= now() and p.schedule_start = p.attempts and p.attempts > 0 and p.replay_id is null',
  order: 'p.next_attempt_at',
});

const isHeld = `(not ${isFree} and p.id = any($7))`;

/**
 * The oldest pending ones as far as they are ready and free, or held, without a gap. An earlier event of the form that
 * this integration has not been given yet ends the list too: its outbox row is still here.
 */
const claimInOrder = `
  with ${heldPartitions}, oldest as (
    select found.* from ${wanted}
    cross join lateral (
      select p.id, p.integration_id, p.position, ${isFree} as is_free,
             (${isHeld} or ${isFree} and coalesce(${isReady}, false)) and not exists (
               select 1 from outbox o
               where o.form_id = p.form_id and o.position < p.position
                 and not exists (select 1 from deliveries e where e.event_id = o.event_id and e.integration_id = p.integration_id)
             ) as ready
      from deliveries p
      where ${pendingOfWanted}
      order by p.position
      limit wanted.most
    ) found
  ), due as (
    select id from (
      select id, is_free, bool_and(ready) over (partition by integration_id order by position) as ready from oldest
    ) run where ready and is_free
  ) ${claimFound}`;

/** The statements that serve each mode. */
const statements: Record<ClaimRequest['mode'], readonly { name: string; text: string }[]> = {
  due: [{ name: 'claim-by-time', text: claimByTime }],
  drain: [{ name: 'claim-oldest', text: claimOldest }],
  'in order': [{ name: 'claim-in-order', text: claimInOrder }],
  probe: [{ name: 'claim-in-order', text: claimInOrder }, { name: 'claim-by-hand', text: claimByHand }],
};

/**
 * Claims deliveries of partitions, as far as the caller owns them, for `claimMs`. No transaction stays open: a claim is
 * a name and a time in the row. Answers them oldest first.
 */
export async function claimDue(
  pool: Pool,
  options: { owner: Id<'dsp'>; partitions: readonly number[]; claimMs: number; requests: readonly ClaimRequest[] },
): Promise<ClaimedDelivery[]> {
  const { owner, partitions, claimMs, requests } = options;
  const claimed: ClaimedDelivery[] = [];
  for (const [mode, ofMode] of Map.groupBy(requests, (request) => request.mode)) {
    for (const { name, text } of statements[mode]) {
      const { rows } = await pool.query<ClaimedDelivery>({
        name,
        text,
        values: [
          owner,
          partitions,
          claimMs,
          ofMode.map((request) => request.integrationId),
          ofMode.map((request) => (mode === 'probe' ? 1 : request.limit)),
          ofMode.map((request) => request.recoveredAt ?? null),
          ...(text === claimInOrder ? [ofMode.flatMap((request) => request.held)] : []),
        ],
      });
      claimed.push(...rows);
    }
  }
  return claimed.toSorted((one, other) => one.position - other.position);
}

/** Gives claims up of which nothing came, so that the deliveries need not wait until they run out. */
export async function releaseClaims(pool: Pool, options: { owner: Id<'dsp'>; ids: readonly Id<'dlv'>[] }): Promise<void> {
  await pool.query({
    name: 'release-claims',
    text: `update deliveries set claimed_by = null, claim_expires_at = null where id = any($2) and claimed_by = $1 and status = 'pending'`,
    values: [options.owner, options.ids],
  });
}
