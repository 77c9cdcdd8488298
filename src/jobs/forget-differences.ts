import type { PoolClient } from 'pg';
import type { Id } from '../events/id.ts';

/** There are few comparisons of an organisation: they are forgotten some time after their end. */
const statement = `
  update jobs set result = jsonb_set(result, '{differences}', coalesce((
    select jsonb_agg(d.difference order by d.place) from jsonb_array_elements(result -> 'differences') with ordinality as d(difference, place)
    where d.difference ->> 'responseId' <> all($2)
  ), '[]'))
  where organization_id = $1 and kind = 'verify' and result is not null
    and exists (select 1 from jsonb_array_elements(result -> 'differences') d where d ->> 'responseId' = any($2))`;

/** Takes what comparisons have said of a response that is being erased out of their results: it may repeat answers. */
export async function forgetDifferences(client: PoolClient, { organizationId, responseIds }: { organizationId: Id<'org'>; responseIds: readonly Id<'resp'>[] }): Promise<void> {
  await client.query(statement, [organizationId, responseIds]);
}
