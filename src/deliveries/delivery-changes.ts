import type { Pool } from 'pg';
import { deliveriesIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, trusted, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { Found, LiveItem, Stretch } from '../graphql/live-topic.ts';
import type { Order } from '../outbox/settled.ts';
import { deliveryColumns, type DeliveryRow } from './delivery-rows.ts';

/** The order in which deliveries change: their first record is the first change. */
export const deliveryOrder: Order = { sequence: 'delivery_position_seq', tables: ['deliveries'] };

/** A delivery as it is since its last change, at the place of that. A change that another one followed is not told any more. */
export interface DeliveryChangeItem extends LiveItem {
  delivery: DeliveryRow;
}

export interface ChangesOf {
  reach: Reach;
  formId: Id<'form'>;
  /** Absent: of all that are within reach. */
  integrationId: Id<'intg'> | undefined;
}

/** Rows of a form that are looked at, at a time: most may be of other integrations, or have changed since. Some milliseconds. */
const mostLookedAt = 1_000;

/**
 * A row's place is that of its last change, or else of its record: it has one of either kind at most in a stretch, and is
 * told at the one it has now. What is looked at is chosen by places alone, so that nothing but their indexes can serve it;
 * and by the values of this call: a plan for any would expect few rows, and sort all of them.
 */
export async function readDeliveryChanges(pool: Pool, { reach, formId, integrationId }: ChangesOf, { after, upTo, limit }: Stretch): Promise<Found<DeliveryChangeItem>> {
  const most = trusted(`${mostLookedAt}`); // in the text, for the planner to know
  const rowsAt = (place: Sql): Sql => sql`
    (select d.*, ${place} as place from deliveries d
     where d.form_id = ${formId} and ${place} > ${after} and ${place} <= ${upTo} order by ${place} limit ${most})`;
  const wanted = [deliveriesIn(reach), integrationId ? sql`d.integration_id = ${integrationId}` : undefined];
  const query = sql`
    with looked as materialized (
      select * from (${rowsAt(trusted('d.recorded_position'))} union all ${rowsAt(trusted('d.changed_position'))}) both_kinds order by place limit ${most}
    ), page as (
      select ${deliveryColumns}, d.place::float8 as position from looked d
      where d.place = coalesce(d.changed_position, d.recorded_position) and ${allOf(wanted)}
      order by d.place limit ${limit}
    )
    select stretch."upTo", page.*
    from (select case when count(*) = ${most} then max(place) else ${upTo} end::float8 as "upTo" from looked) stretch
    left join page on true
    order by page.position`;
  const { rows } = await pool.query<ChangeRow>(query.toQuery());
  return foundOf(rows, { after, upTo, limit });
}

/** Without a delivery: there is none in the stretch. */
type ChangeRow = { upTo: number } & ({ id: null } | (DeliveryRow & { position: number }));

function foundOf(rows: readonly ChangeRow[], { upTo, limit }: Stretch): Found<DeliveryChangeItem> {
  const items = rows.flatMap(({ upTo: _upTo, ...row }): DeliveryChangeItem[] => (row.id === null ? [] : [{ position: row.position, delivery: row }]));
  const last = items.at(-1);
  return { items, end: last && items.length === limit ? last.position : (rows[0]?.upTo ?? upTo) };
}
