import type { Pool } from 'pg';
import type { Tracking } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';

const minute = 60_000;
const hour = 60 * minute;

/**
 * How long to wait after the service was asked for the first, second … time what became of a delivery, before it is
 * asked again; the first time is a minute after the first news. Days later nothing is to be expected any more.
 */
export const followWaitsMs: readonly number[] = [5 * minute, 30 * minute, 2 * hour, 6 * hour, 24 * hour, 24 * hour, 24 * hour];

/** What a delivery's tracking says where the service never told an end. */
export const neverTold = 'The service has not said what became of it within three days; it is not asked any more.';

/** A process that dies after this has asked for nothing: the next wait is over in time all the same. */
const claim = `
  update trackings t set follows = t.follows + 1, follow_at = now() + make_interval(secs => ($2::float8[])[t.follows + 1] / 1000.0)
  from (
    select integration_id, event_id from trackings
    where follow_at <= now()
    order by follow_at
    limit $1
    for update skip locked
  ) due
  where t.integration_id = due.integration_id and t.event_id = due.event_id
  returning t.integration_id as "integrationId", t.event_id as "eventId", t.reference, t.status, t.rank, t.is_final as "isFinal", t.detail, t.follow_at is null as "isLast"`;

export interface FollowedTracking extends Omit<Tracking, 'detail'> {
  integrationId: Id<'intg'>;
  detail: string | null;
  /** The service is asked for the last time. */
  isLast: boolean;
}

/** Takes trackings that are due to be followed, at most so many, and sets when they are due next. */
export async function claimTrackings(pool: Pool, limit: number): Promise<FollowedTracking[]> {
  const { rows } = await pool.query<FollowedTracking>({ name: 'claim-trackings', text: claim, values: [limit, followWaitsMs] });
  return rows;
}

const end = `
  update trackings t set is_final = true, follow_at = null, detail = coalesce(t.detail, $3)
  from unnest($1::text[], $2::text[]) as input(integration_id, event_id)
  where t.integration_id = input.integration_id and t.event_id = input.event_id and not t.is_final`;

type Key = Pick<FollowedTracking, 'integrationId' | 'eventId'>;

/** Ends what has not ended by itself. What the service says later, with a higher rank, still counts. */
export async function endTrackings(pool: Pool, keys: readonly Key[], detail: string): Promise<void> {
  if (keys.length === 0) return;
  await pool.query({ name: 'end-trackings', text: end, values: [keys.map((key) => key.integrationId), keys.map((key) => key.eventId), detail] });
}

const forget = `
  update trackings t set follow_at = null
  from unnest($1::text[], $2::text[]) as input(integration_id, event_id)
  where t.integration_id = input.integration_id and t.event_id = input.event_id`;

/** Asks no more of what nobody can be asked about. */
export async function stopFollowing(pool: Pool, keys: readonly Key[]): Promise<void> {
  if (keys.length === 0) return;
  await pool.query({ name: 'stop-following', text: forget, values: [keys.map((key) => key.integrationId), keys.map((key) => key.eventId)] });
}
