import type { CellValue } from './read-rows.ts';
import type { Cell, RowCells } from './row-cells.ts';

export interface RowCheck {
  expected: RowCells;
  /** The cells of its row from the left; undefined where the sheet ends above. */
  found: readonly CellValue[] | undefined;
  rowIndex: number;
  /** Where our columns stand. */
  places: ReadonlyMap<string, number>;
  /** The columns that have to be there, and what they are called. */
  titles: ReadonlyMap<string, string>;
}

const mostTitles = 5;

/** How a row differs from what it should be, in a sentence that repeats nothing of what was answered; undefined where it does not. */
export function differenceIn(check: RowCheck): string | undefined {
  const { expected, found = [], places, titles } = check;
  const differing = [...new Set([...places.keys(), ...titles.keys()])].filter((id) => !isSame(valueOf(expected.cells.get(id)), valueAt(found, places.get(id))));
  if (differing.length === 0) return undefined;
  if ([...places.values()].every((index) => valueAt(found, index) === '')) return `Row ${check.rowIndex + 1} is empty.`;
  if (differing.includes('response')) return `Row ${check.rowIndex + 1} holds something else.`;
  const named = differing.slice(0, mostTitles).map((id) => `"${titles.get(id) ?? id}"`);
  const more = differing.length > mostTitles ? ` and ${differing.length - mostTitles} more` : '';
  return `Row ${check.rowIndex + 1} differs in ${named.join(', ')}${more}.`;
}

/** Google keeps one kind of line break. */
const isSame = (one: CellValue, other: CellValue): boolean =>
  typeof one === 'string' && typeof other === 'string' ? one.replaceAll('\r\n', '\n') === other.replaceAll('\r\n', '\n') : one === other;

const valueAt = (cells: readonly CellValue[], index: number | undefined): CellValue => (index === undefined ? '' : (cells[index] ?? ''));

function valueOf(cell: Cell | undefined): CellValue {
  const { stringValue, numberValue, boolValue } = cell?.userEnteredValue ?? {};
  return stringValue ?? numberValue ?? boolValue ?? '';
}
