import { z } from 'zod';

export const manifestFile = 'formwire-backup.json';

const table = z.object({
  name: z.string(),
  columns: z.array(z.string()).min(1),
  rows: z.number(),
  /** In the folder of the backup: what `copy … to stdout` says, compressed by gzip. */
  file: z.string().regex(/^[a-z_]+\.copy\.gz$/),
  /** Of the file as it is. */
  sha256: z.string(),
});

const manifest = z.object({
  format: z.literal(1),
  takenAt: z.string(),
  /** The names of those that the database had, in their order: the last one tells the schema. */
  migrations: z.array(z.string()).min(1),
  /** In an order in which they can be loaded: what a foreign key leads to comes first. */
  tables: z.array(table),
  /** What each sequence had given out last. */
  sequences: z.array(z.object({ name: z.string(), last: z.string().regex(/^\d+$/) })),
  /** Names of the keys that seal secrets in it. The keys themselves are not in it. */
  sealingKeys: z.array(z.string()),
});

/** What a backup has, and by what its files are known to be whole. Written last: a folder without it is no backup. */
export type Manifest = z.output<typeof manifest>;
export type TableEntry = z.output<typeof table>;

/** Reads a manifest; throws a sentence where it is none, or of a format that this version does not know. */
export function parseManifest(text: string): Manifest {
  const parsed = manifest.safeParse(jsonOf(text));
  if (parsed.success) return parsed.data;
  throw new Error(`${manifestFile} is none that this version of Formwire reads: ${parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Why a backup cannot go into a database, by the migrations of either and of this version; undefined where it can. A
 * schema that is newer than the backup's would leave out what its migrations do to rows.
 */
export function refusal({ backup, database, known }: { backup: readonly string[]; database: readonly string[]; known: readonly string[] }): string | undefined {
  const newer = backup.find((name) => !known.includes(name));
  if (newer !== undefined) return `The backup was taken by a newer Formwire, which has the migration ${newer}. Restore it with that version, or a newer one.`;
  const ahead = database.find((name) => !backup.includes(name));
  if (ahead !== undefined) return `The database has the migration ${ahead}, which the backup has not. Restore into an empty database.`;
  return undefined;
}
