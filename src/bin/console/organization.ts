import type { Pool } from 'pg';
import { oneLine } from '../../console/table.ts';
import type { Id } from '../../events/id.ts';
import { WrongUse } from '../exit-codes.ts';

/** The organisation that was named, or the only one there is. Throws WrongUse where there are several. */
export async function chooseOrganization(pool: Pool, named: Id<'org'> | undefined): Promise<Id<'org'>> {
  if (named) return named;
  const { rows } = await pool.query<{ id: Id<'org'>; name: string }>('select id, name from organizations order by id limit 11');
  const [first] = rows;
  if (!first) throw new Error('There is no organisation yet: register the first member.');
  if (rows.length === 1) return first.id;
  const some = rows.slice(0, 10).map(({ id, name }) => `\n  ${id}  ${oneLine(name)}`).join('');
  throw new WrongUse(`Several organisations are here: say --organization.${some}${rows.length > 10 ? '\n  …' : ''}`);
}
