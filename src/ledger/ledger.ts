import type { Pool, PoolClient } from 'pg';
import type { Ledger, LedgerEntry } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';
import { checkedKeys, stateText } from './ledger-bounds.ts';

/** The ledger of one integration; see `Ledger`. Throws RangeError past its bounds: that is the provider's fault. */
export function openLedger(pool: Pool, integrationId: Id<'intg'>): Ledger {
  return {
    reserve: async (keys) => {
      const wanted = checkedKeys(keys);
      const known = await readPlaces(pool, { integrationId, keys: wanted });
      return known.size === wanted.length ? known : reservePlaces(pool, { integrationId, keys: wanted });
    },
    read: async (keys) => {
      const { rows } = await pool.query<{ key: string } & LedgerEntry>({
        name: 'ledger-read',
        text: 'select key, place, state from ledger where integration_id = $1 and key = any($2)',
        values: [integrationId, checkedKeys(keys)],
      });
      return new Map(rows.map(({ key, ...entry }) => [key, entry]));
    },
    note: async (notes) => {
      checkedKeys(notes.map(({ key }) => key));
      const { rows } = await pool.query<{ key: string }>({
        name: 'ledger-note',
        text: writeNotes,
        values: [
          integrationId,
          notes.map(({ key }) => key),
          notes.map(({ state }) => stateText(state)),
          notes.map(({ was }) => (was === null ? null : stateText(was))),
          notes.map(({ forgetAt }) => forgetAt ?? null),
        ],
      });
      return new Set(rows.map(({ key }) => key));
    },
  };
}

/**
 * Where two write the same key at once, the second waits for the first and then compares with what that one wrote: the
 * condition of `do update` looks at the row as it is now, not as it was when the statement began.
 */
const writeNotes = `
  insert into ledger (integration_id, key, state, noted_at, forget_at)
  select $1, note.key, note.state, now(), note.forget_at
  from unnest($2::text[], $3::jsonb[], $4::jsonb[], $5::timestamptz[]) as note(key, state, was, forget_at)
  where note.was is null or exists (select 1 from ledger e where e.integration_id = $1 and e.key = note.key)
  order by note.key
  on conflict (integration_id, key) do update set state = excluded.state, noted_at = now(), forget_at = excluded.forget_at
    where ledger.state is not distinct from (select n.was from unnest($2::text[], $4::jsonb[]) as n(key, was) where n.key = ledger.key)
  returning key`;

interface Wanted {
  integrationId: Id<'intg'>;
  keys: readonly string[];
}

async function readPlaces(client: Pick<Pool | PoolClient, 'query'>, { integrationId, keys }: Wanted): Promise<Map<string, number>> {
  const { rows } = await client.query<{ key: string; place: number }>({
    name: 'ledger-places',
    text: 'select key, place from ledger where integration_id = $1 and key = any($2) and place is not null',
    values: [integrationId, keys],
  });
  return new Map(rows.map(({ key, place }) => [key, place]));
}

const lockCounter = `
  insert into ledger_counters (integration_id, next_place) values ($1, 0)
  on conflict (integration_id) do update set next_place = ledger_counters.next_place
  returning next_place as next`;

const givePlaces = `
  with given as (
    insert into ledger (integration_id, key, place, noted_at)
    select $1, wanted.key, $3::int + (row_number() over (order by wanted.ordinal))::int - 1, now()
    from unnest($2::text[]) with ordinality as wanted(key, ordinal)
    where not exists (select 1 from ledger e where e.integration_id = $1 and e.key = wanted.key and e.place is not null)
    on conflict (integration_id, key) do update set place = excluded.place
    returning 1
  )
  update ledger_counters set next_place = next_place + (select count(*)::int from given) where integration_id = $1`;

/** Two statements, so that the second sees what was given out while the first waited for its turn. */
async function reservePlaces(pool: Pool, wanted: Wanted): Promise<Map<string, number>> {
  const { integrationId, keys } = wanted;
  const client = await pool.connect();
  let failure: Error | undefined;
  try {
    await client.query('begin');
    const { rows } = await client.query<{ next: number }>({ name: 'ledger-lock', text: lockCounter, values: [integrationId] });
    await client.query({ name: 'ledger-give', text: givePlaces, values: [integrationId, keys, rows[0]?.next ?? 0] });
    const places = await readPlaces(client, wanted);
    await client.query('commit');
    return places;
  } catch (error) {
    failure = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.release(failure); // a connection in an unknown state is closed, which rolls back
  }
}
