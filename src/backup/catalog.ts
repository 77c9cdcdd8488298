import type { ClientBase } from 'pg';

/** A table as the database has it. */
export interface Table {
  name: string;
  columns: string[];
  /** The tables that its foreign keys lead to. */
  references: string[];
}

/** Unlogged tables hold nothing that survives a crash of the server; which migrations are done stands in the manifest. */
const selectTables = `
  select c.relname as name,
         array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum) as columns,
         array(select distinct k.confrelid::regclass::text from pg_constraint k where k.conrelid = c.oid and k.contype = 'f') as "references"
  from pg_class c
  where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r' and c.relpersistence = 'p' and c.relname <> 'mikro_orm_migrations'
  order by c.relname`;

export async function readTables(client: ClientBase): Promise<Table[]> {
  return (await client.query<Table>(selectTables)).rows;
}

const selectSequences = `
  select s.sequencename as name, s.last_value::text as last from pg_sequences s
  where s.schemaname = current_schema() and s.last_value is not null and s.sequencename <> 'mikro_orm_migrations_id_seq'`;

/** What each sequence gave out last; those that gave out nothing are left out. */
export async function readSequences(client: ClientBase): Promise<{ name: string; last: string }[]> {
  return (await client.query<{ name: string; last: string }>(selectSequences)).rows;
}

/** The names of the migrations that were done, in their order; none where there is not even their table. */
export async function readMigrations(client: ClientBase): Promise<string[]> {
  const { rows: found } = await client.query<{ isThere: boolean }>(`select to_regclass('mikro_orm_migrations') is not null as "isThere"`);
  if (!found[0]?.isThere) return [];
  const { rows } = await client.query<{ name: string }>('select name from mikro_orm_migrations order by id');
  return rows.map(({ name }) => name);
}

/** Tables in an order in which they can be loaded: what a foreign key leads to comes first. Throws where they lead in a circle. */
export function loadingOrder(tables: readonly Table[]): Table[] {
  const ordered: Table[] = [];
  let waiting = [...tables];
  while (waiting.length > 0) {
    const blocked = new Set(waiting.map(({ name }) => name));
    const free = waiting.filter(({ name, references }) => references.every((target) => target === name || !blocked.has(target)));
    if (free.length === 0) throw new Error(`The foreign keys of ${[...blocked].join(', ')} lead in a circle.`);
    ordered.push(...free);
    waiting = waiting.filter((table) => !free.includes(table));
  }
  return ordered;
}
