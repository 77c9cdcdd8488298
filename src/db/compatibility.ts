import type { ClientBase, Pool } from 'pg';
import manifest from '../../package.json' with { type: 'json' };

/**
 * Migrations that take something away, or ask for something that was not asked for before, each with the first version
 * that runs without it. All others only add, and versions from before them go on beside those that know them.
 */
export const firstVersionsWithout: Readonly<Record<string, string>> = {
  '20261125-members': '0.1.0',
  '20261206-positions': '0.1.0',
};

export const ownVersion: string = manifest.version;

/** Whether a version such as `1.10.0` is the other one or a later one. */
export function isFrom(version: string, other: string): boolean {
  const [own, others] = [version, other].map((text) => text.split('.').map(Number)) as [number[], number[]];
  const different = own.findIndex((number, index) => number !== (others[index] ?? 0));
  return different < 0 || (own[different] ?? 0) > (others[different] ?? 0);
}

/** The oldest version that can run on the schema of this one. */
export const oldestOnSchema: string = Object.values(firstVersionsWithout).reduce((one, other) => (isFrom(one, other) ? one : other), '0.0.0');

/** It is kept as the comment of the table of migrations, where a person sees it too. */
const mark = (version: string): string => `Formwire ${version} and newer run on this schema.`;
const markPattern = /^Formwire (\d+\.\d+\.\d+) and newer run on this schema\.$/;

/** The oldest version that can run on a database, as the newest that was there has said; undefined where none has. */
export async function readOldest(client: Pick<ClientBase | Pool, 'query'>): Promise<string | undefined> {
  const { rows } = await client.query<{ comment: string | null }>(`select obj_description(to_regclass('mikro_orm_migrations'), 'pg_class') as comment`);
  return markPattern.exec(rows[0]?.comment ?? '')?.[1];
}

/** Says which is the oldest version that can run on a database now; what a newer version has said stays. */
export async function noteOldest(client: Pick<ClientBase, 'query'>): Promise<void> {
  const noted = await readOldest(client);
  if (noted === undefined || !isFrom(noted, oldestOnSchema)) await client.query(`comment on table mikro_orm_migrations is '${mark(oldestOnSchema)}'`);
}

/** Throws a sentence where this version is too old for a database that newer ones have migrated. */
export async function refuseTooOld(client: Pick<ClientBase, 'query'>, own: string = ownVersion): Promise<void> {
  const oldest = await readOldest(client);
  if (oldest === undefined || isFrom(own, oldest)) return;
  throw new Error(`The database was brought to a schema that needs Formwire ${oldest} or newer, and this is ${own}. Run that, or restore the backup that was taken before the upgrade.`);
}
