import type { z } from 'zod';
import type { Spreadsheet } from './spreadsheet.ts';

/** What a request of a batch works on: a copy, which replaces the spreadsheet when all of the batch went well. */
export interface Draft {
  spreadsheet: Spreadsheet;
  /** Of the caller: metadata may be seen by one project only. */
  project: string;
  /** A number for a sheet or for metadata that has none. */
  newId(): number;
}

/** How one kind of request is read and done. `apply` returns the reply, where the kind has one. */
export interface RequestKind {
  schema: z.ZodType;
  apply(draft: Draft, input: never): unknown;
}

/** Ties the type of `apply`'s input to the schema. */
export function requestKind<Schema extends z.ZodType>(schema: Schema, apply: (draft: Draft, input: z.infer<Schema>) => unknown): RequestKind {
  return { schema, apply };
}
