import type { ClientBase, Pool } from 'pg';

/** Positions begin at the microseconds since 1970: far more than anybody draws in the time, and exact as a double until 2255. */
const perSecond = 1_000_000;

/** Of all events, and of changes of deliveries; an earlier schema has not both. */
const sequences = ['outbox_position_seq', 'delivery_position_seq'];

/** A sequence that was never drawn from has nothing behind it to be told from. */
const begin = (sequence: string): string => `
  select setval('${sequence}', present.position)
  from ${sequence} s, (select floor(extract(epoch from clock_timestamp()) * ${perSecond})::bigint as position) present
  where s.is_called and present.position > s.last_value + ${perSecond}`;

/**
 * Lets positions go on from one that nobody has seen. A database that was put back to an earlier state, by whatever
 * means, would draw positions for a second time: a subscriber who has read on to the first ones would miss what gets the
 * second, and a message of the stream could be taken for one of another event. No database can tell that it was put
 * back, if it was by a copy of its files; so this is done at each start. Positions only ever grow, by the database's
 * clock or without it; callers come one after the other.
 */
export async function beginPositionsAnew(client: Pick<ClientBase | Pool, 'query'>): Promise<void> {
  const { rows } = await client.query<{ sequence: string }>('select sequence from unnest($1::text[]) as sequence where to_regclass(sequence) is not null', [sequences]);
  for (const { sequence } of rows) await client.query(begin(sequence));
}
