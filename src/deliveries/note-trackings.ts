import type { Pool } from 'pg';
import type { Tracking } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';

/** How long after the first news the service is asked for more, if none has come by then. */
const followAfter = "interval '1 minute'";

/** Details may repeat what was sent, so none is noted after an erasure. */
const isErased = `exists (
    select 1 from deliveries d join responses r on r.id = d.response_id
    where d.event_id = n.event_id and d.integration_id = $1 and r.erased_at is not null
  )`;

/** What comes late, in disorder or twice does no harm: only a higher rank takes the place of what is known. */
const statement = `
  insert into trackings as t (integration_id, event_id, reference, status, rank, is_final, detail, noted_at, follow_at, follows)
  select $1, n.event_id, n.reference, n.status, n.rank, n.is_final, case when not ${isErased} then n.detail end, now(), case when n.is_final then null else now() + ${followAfter} end, 0
  from (
    select distinct on (event_id) *
    from unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::boolean[], $7::text[]) as n(event_id, reference, status, rank, is_final, detail)
    order by event_id, rank desc
  ) n
  on conflict (integration_id, event_id) do update
    set reference = excluded.reference, status = excluded.status, rank = excluded.rank, is_final = excluded.is_final,
        detail = excluded.detail, noted_at = excluded.noted_at, follow_at = case when excluded.is_final then null else t.follow_at end
    where t.rank < excluded.rank`;

/** Notes what an outside service says of deliveries it took; see `CallContext.track`. */
export async function noteTrackings(pool: Pool, { integrationId, trackings }: { integrationId: Id<'intg'>; trackings: readonly Tracking[] }): Promise<void> {
  if (trackings.length === 0) return;
  await pool.query({
    name: 'note-trackings',
    text: statement,
    values: [
      integrationId,
      trackings.map(({ eventId }) => eventId),
      trackings.map(({ reference }) => reference),
      trackings.map(({ status }) => status),
      trackings.map(({ rank }) => rank),
      trackings.map(({ isFinal }) => isFinal),
      trackings.map(({ detail }) => detail ?? null),
    ],
  });
}
