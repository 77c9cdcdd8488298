import { hash } from 'node:crypto';
import type { Column } from './column.ts';

/** The key of the developer metadata that says which column of ours a column of the sheet is. */
export const tagKey = 'formwire';

/** What the metadata says: which column it is, and which title was last written over it, or that its question is gone. */
export interface ColumnTag {
  id: string;
  /** The beginning of the title's hash: titles themselves would use up what a sheet's metadata may hold. */
  stamp: string;
}

const removedStamp = 'removed';

/** Where a title was written that a user has since changed, its stamp still tells that the form did not change it. */
export const stampOf = (title: string): string => hash('sha256', title).slice(0, 7);

export const tagOf = ({ id, title }: Column): ColumnTag => ({ id, stamp: stampOf(title) });

export const removedTag = (id: string): ColumnTag => ({ id, stamp: removedStamp });

export const isRemovedTag = ({ stamp }: ColumnTag): boolean => stamp === removedStamp;

export const formatTag = ({ id, stamp }: ColumnTag): string => `${id}:${stamp}`;

/** Undefined where the value is none of ours. */
export function parseTag(value: string): ColumnTag | undefined {
  const match = /^([^:]+):([0-9a-f]{7}|removed)$/.exec(value);
  return match?.[1] === undefined || match[2] === undefined ? undefined : { id: match[1], stamp: match[2] };
}

/**
 * The id for a column's metadata, the same on every try: Google refuses an id it has, so a batch that adds columns cannot
 * take effect twice. Ids in `taken` belong to other metadata of the spreadsheet; the next free one is used.
 */
export function metadataIdOf(columnId: string, taken: ReadonlySet<number>): number {
  let id = Number.parseInt(hash('sha256', columnId).slice(0, 8), 16) % maxMetadataId;
  while (id === 0 || taken.has(id)) id = (id + 1) % maxMetadataId;
  return id;
}

const maxMetadataId = 2 ** 31 - 1;
