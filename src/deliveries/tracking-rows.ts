import type { Pool } from 'pg';
import { deliveriesIn, type Reach } from '../accounts/reach.ts';
import { sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';

/** What an outside service says of a delivery it took. */
export interface TrackingRow {
  deliveryId: Id<'dlv'>;
  reference: string;
  status: string;
  detail: string | null;
  isFinal: boolean;
  notedAt: Date;
}

/** What is known of each delivery within reach; one of which nothing is known has no entry. */
export async function trackingsOfDeliveries(pool: Pool, key: { reach: Reach; deliveryIds: readonly Id<'dlv'>[] }): Promise<Map<Id<'dlv'>, TrackingRow>> {
  const query = sql`
    select d.id as "deliveryId", t.reference, t.status, t.detail, t.is_final as "isFinal", t.noted_at as "notedAt"
    from deliveries d join trackings t on t.integration_id = d.integration_id and t.event_id = d.event_id
    where d.id = any(${key.deliveryIds}) and ${deliveriesIn(key.reach)}`;
  const { rows } = await pool.query<TrackingRow>(query.toQuery());
  return new Map(rows.map((row) => [row.deliveryId, row]));
}
