import type { ClientBase } from 'pg';

/** A row as it went in, as JSON. */
export interface AnyRow {
  table: string;
  row: Record<string, unknown>;
}

interface Column {
  table: string;
  name: string;
  type: string;
  /** The table that a foreign key of this column leads to. */
  target: string | null;
}

const selectColumns = `
  select c.table_name as table, c.column_name as name, c.data_type as type,
         (select k.confrelid::regclass::text from pg_constraint k
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = k.conkey[1]
          where k.contype = 'f' and k.conrelid = c.table_name::regclass and a.attname = c.column_name) as target
  from information_schema.columns c
  join information_schema.tables t using (table_schema, table_name)
  where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and t.table_name <> 'mikro_orm_migrations'
  order by c.table_name, c.ordinal_position`;

/**
 * Puts a row into every table that a database has, with a value in every column, whatever the schema is. `number` tells
 * the rows of several calls apart; those of one call belong together. Answers them as they are stored.
 */
export async function insertAnyRows(client: ClientBase, number: number): Promise<AnyRow[]> {
  const { rows: columns } = await client.query<Column>(selectColumns);
  const waiting = Map.groupBy(columns, ({ table }) => table);
  const inserted: AnyRow[] = [];
  while (waiting.size > 0) {
    const next = waiting.entries().find(([table, own]) => own.every(({ target }) => target === null || target === table || !waiting.has(target)));
    if (!next) throw new Error(`the foreign keys of ${[...waiting.keys()].join(', ')} lead in a circle`);
    const [table, own] = next;
    waiting.delete(table);
    const names = own.map(({ name }) => `"${name}"`).join(', ');
    const { rows } = await client.query<{ row: AnyRow['row'] }>(
      `insert into ${table} (${names}) values (${own.map((_, index) => `$${index + 1}`).join(', ')}) returning to_jsonb(${table}) as row`,
      own.map((column) => anyValue(column, number)),
    );
    inserted.push(...rows.map(({ row }) => ({ table, row })));
  }
  return inserted;
}

/** What a trigger or migration looks at has a value that means something. */
const meant: Record<string, string> = { 'outbox.type': 'response.created', 'deliveries.status': 'dead' };

function anyValue({ table, name, type, target }: Column, number: number): unknown {
  const said = meant[`${table}.${name}`];
  if (said !== undefined) return said;
  if (target !== null) return `${target}-${number}`;
  switch (type) {
    case 'text': return name === 'id' ? `${table}-${number}` : name.endsWith('_id') ? `${name.slice(0, -3)}s-${number}` : `${name} ${number}`;
    case 'jsonb': return JSON.stringify({ [name]: number });
    case 'ARRAY': return [String(number)];
    case 'boolean': return number % 2 === 0;
    case 'timestamp with time zone': return new Date(Date.UTC(2026, 0, number));
    case 'double precision': return number + 0.5;
    // the partitions that there are have rows already
    default: return name === 'partition' ? number + 100 : number;
  }
}

/** Which of these rows are there no more, or say something else. */
export async function missingRows(client: ClientBase, before: readonly AnyRow[]): Promise<AnyRow[]> {
  const missing: AnyRow[] = [];
  for (const entry of before) {
    const { rowCount } = await client.query(`select from ${entry.table} where to_jsonb(${entry.table}) @> $1::jsonb`, [JSON.stringify(entry.row)]);
    if (rowCount === 0) missing.push(entry);
  }
  return missing;
}
