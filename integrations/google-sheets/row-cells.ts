import type { sheets_v4 } from '@googleapis/sheets';
import type { Json } from '../../src/events/canonical-json.ts';
import type { ResponseData } from '../../src/events/response-data.ts';

export type Cell = sheets_v4.Schema$CellData;

/** A response as the cells of a row, by column id. What is not in it is empty. */
export interface RowCells {
  cells: ReadonlyMap<string, Cell>;
  /** Columns whose text was too long for a cell and was cut. */
  cut: readonly string[];
}

/** What a cell holds, in UTF-16 units. Source: Google, "Files you can store in Google Drive". */
export const maxCellCharacters = 50_000;
const cutMark = '… (cut)';

/**
 * The cells of a response. Numbers and booleans stay what they are, all else is text and can never become a formula: the
 * type is said with the value, nothing is read out of it. Dates and times are ISO 8601, whose order is that of the text.
 */
export function rowCells({ response }: Pick<ResponseData, 'response'>): RowCells {
  const values: [string, string | number | boolean][] = [
    ['response', response.familyId],
    ['submittedAt', response.submittedAt.toISOString()],
    ['revision', response.revision],
    ['flags', response.flags.map(flagText).join('\n')],
    ...response.answers.map(({ questionId, value, text }): [string, string | number | boolean] => [questionId, typedValue(value, text)]),
  ];
  const cut = values.flatMap(([id, value]) => (typeof value === 'string' && value.length > maxCellCharacters ? [id] : []));
  return { cells: new Map(values.map(([id, value]) => [id, cellOf(value)])), cut };
}

/** The row of a response that was erased: blank, and marked, so that the rows after it stay where they are. */
export const erasedRow: RowCells = { cells: new Map([['response', { userEnteredValue: { stringValue: '(erased)' } }]]), cut: [] };

/** How much of a request a row takes, in bytes. */
export const rowBytes = ({ cells }: RowCells): number => Buffer.byteLength(JSON.stringify([...cells.values()]));

const typedValue = (value: Json, text: string): string | number | boolean =>
  typeof value === 'number' || typeof value === 'boolean' ? value : text;

function cellOf(value: string | number | boolean): Cell {
  if (typeof value === 'number') return { userEnteredValue: { numberValue: value } };
  if (typeof value === 'boolean') return { userEnteredValue: { boolValue: value } };
  return value === '' ? {} : { userEnteredValue: { stringValue: fitted(value) } };
}

/** Cut so that no half of a surrogate pair is left at the end. */
function fitted(text: string): string {
  if (text.length <= maxCellCharacters) return text;
  return text.slice(0, maxCellCharacters - cutMark.length).replace(/[\uD800-\uDBFF]$/, '') + cutMark;
}

function flagText(flag: Json): string {
  if (typeof flag === 'string') return flag;
  const message = typeof flag === 'object' && flag !== null && 'message' in flag ? flag.message : undefined;
  return typeof message === 'string' ? message : JSON.stringify(flag);
}
