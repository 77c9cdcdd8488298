import type { sheets_v4 } from '@googleapis/sheets';
import type { Column } from './column.ts';
import { formatTag, isRemovedTag, metadataIdOf, removedTag, tagKey, tagOf, type ColumnTag } from './column-tag.ts';

type Request = sheets_v4.Schema$Request;

/** A column of the sheet that carries a tag of ours. Columns without one belong to the sheet's users. */
export interface TaggedColumn {
  /** From 0. */
  index: number;
  /** What stands in its header now, whoever wrote it. */
  title: string;
  metadataId: number;
  tag: ColumnTag;
}

/** The header of a sheet as it was read. */
export interface Header {
  sheetId: number;
  columns: readonly TaggedColumn[];
  /** Of all metadata of the spreadsheet, also of what is not ours. */
  metadataIds: ReadonlySet<number>;
}

/** What happens to the column of a question that was removed: it stays, marked in its title, or goes with its data. */
export type Removal = 'keep' | 'delete';

/** How many columns carry a tag at most: a sheet's metadata holds 30,000 characters, a tag up to 44. */
export const maxTags = 680;

/**
 * The requests, to be sent as one batch, that bring a sheet's header to the columns that are wanted; none where it is
 * there already. New columns go in behind our last one, so that a user's columns keep their contents and ours stay where
 * the user put them; the form's order is not enforced. A title is written when the form changed it, not when the user did.
 *
 * To be planned again from a header that was read again after a batch whose outcome is unknown.
 */
export function planHeader(header: Header, wanted: readonly Column[], removal: Removal): Request[] {
  const columns = firstOfEach(header.columns);
  const known = new Set(columns.map(({ tag }) => tag.id));
  const wantedById = new Map(wanted.map((column) => [column.id, column]));
  const added = wanted.filter(({ id }) => !known.has(id));
  const gone = columns.filter(({ tag }) => !wantedById.has(tag.id));
  const kept = columns.filter(({ tag }) => wantedById.has(tag.id));
  return [
    ...kept.flatMap((column) => renameRequests(header.sheetId, column, wantedById.get(column.tag.id))),
    ...(removal === 'keep' ? keepRequests({ header, gone, count: kept.length + added.length }) : []),
    ...addRequests({ header, columns, added }),
    ...(removal === 'delete' ? deleteRequests(header.sheetId, gone) : []),
  ];
}

/** The requests that make a new sheet one of ours: as many columns as are wanted, a header that does not scroll. */
export function planNewSheet({ sheetId, title, rowCount }: { sheetId: number; title: string; rowCount: number }, columns: readonly Column[]): Request[] {
  const gridProperties = { rowCount, columnCount: columns.length, frozenRowCount: 1 };
  const fields = 'title,gridProperties.rowCount,gridProperties.columnCount,gridProperties.frozenRowCount';
  return [
    { updateSheetProperties: { properties: { sheetId, title, gridProperties }, fields } },
    ...headerRequests({ sheetId, start: 0, columns, metadataIds: new Set() }),
  ];
}

/** Where each of our columns stands: column id → index. Where two carry the same tag, the left one counts. */
export function placesOf(header: Header): Map<string, number> {
  return new Map(firstOfEach(header.columns).map(({ tag, index }) => [tag.id, index]));
}

function firstOfEach(columns: readonly TaggedColumn[]): TaggedColumn[] {
  const sorted = columns.toSorted((left, right) => left.index - right.index);
  return sorted.filter(({ tag }, place) => sorted.findIndex((other) => other.tag.id === tag.id) === place);
}

function renameRequests(sheetId: number, column: TaggedColumn, wanted: Column | undefined): Request[] {
  if (wanted === undefined || tagOf(wanted).stamp === column.tag.stamp) return [];
  return [titleRequest(sheetId, column.index, [wanted.title]), retagRequest(column, tagOf(wanted))];
}

/** Marks what is gone. Past the most tags, columns that are gone lose theirs and are left to the users. */
function keepRequests({ header, gone, count }: { header: Header; gone: readonly TaggedColumn[]; count: number }): Request[] {
  const untagged = gone.slice(0, Math.max(0, count + gone.length - maxTags));
  const marked = gone.filter((column) => !isRemovedTag(column.tag));
  return [
    ...marked.map(({ index, title }) => titleRequest(header.sheetId, index, [`${title} (removed)`])),
    ...marked.filter((column) => !untagged.includes(column)).map((column) => retagRequest(column, removedTag(column.tag.id))),
    ...untagged.map(({ metadataId }) => ({ deleteDeveloperMetadata: { dataFilter: { developerMetadataLookup: { metadataId } } } })),
  ];
}

function addRequests({ header, columns, added }: { header: Header; columns: readonly TaggedColumn[]; added: readonly Column[] }): Request[] {
  if (added.length === 0) return [];
  const { sheetId, metadataIds } = header;
  const start = endOf(columns);
  const range = { sheetId, dimension: 'COLUMNS', startIndex: start, endIndex: start + added.length };
  return [{ insertDimension: { range, inheritFromBefore: start > 0 } }, ...headerRequests({ sheetId, start, columns: added, metadataIds })];
}

/** From the right to the left, so that none moves another that is still to go; what was added is to the right of all. */
function deleteRequests(sheetId: number, gone: readonly TaggedColumn[]): Request[] {
  return gone
    .toSorted((left, right) => right.index - left.index)
    .map(({ index }) => ({ deleteDimension: { range: { sheetId, dimension: 'COLUMNS', startIndex: index, endIndex: index + 1 } } }));
}

const endOf = (columns: readonly TaggedColumn[]): number => Math.max(-1, ...columns.map(({ index }) => index)) + 1;

function headerRequests(added: { sheetId: number; start: number; columns: readonly Column[]; metadataIds: ReadonlySet<number> }): Request[] {
  const { sheetId, start, columns } = added;
  const taken = new Set(added.metadataIds);
  const tags = columns.map((column, offset) => {
    const metadataId = metadataIdOf(column.id, taken);
    taken.add(metadataId);
    return { createDeveloperMetadata: { developerMetadata: metadata({ metadataId, sheetId, index: start + offset, column }) } };
  });
  return [titleRequest(sheetId, start, columns.map(({ title }) => title)), ...tags];
}

function metadata({ metadataId, sheetId, index, column }: { metadataId: number; sheetId: number; index: number; column: Column }): sheets_v4.Schema$DeveloperMetadata {
  const dimensionRange = { sheetId, dimension: 'COLUMNS', startIndex: index, endIndex: index + 1 };
  return { metadataId, metadataKey: tagKey, metadataValue: formatTag(tagOf(column)), visibility: 'PROJECT', location: { dimensionRange } };
}

function titleRequest(sheetId: number, columnIndex: number, titles: readonly string[]): Request {
  const values = titles.map((title) => ({ userEnteredValue: { stringValue: title } }));
  return { updateCells: { start: { sheetId, rowIndex: 0, columnIndex }, rows: [{ values }], fields: 'userEnteredValue' } };
}

function retagRequest({ metadataId }: TaggedColumn, tag: ColumnTag): Request {
  const dataFilters = [{ developerMetadataLookup: { metadataId } }];
  return { updateDeveloperMetadata: { dataFilters, developerMetadata: { metadataValue: formatTag(tag) }, fields: 'metadataValue' } };
}
