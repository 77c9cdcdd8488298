/** One spreadsheet of a sheet that outgrew the first. The positions from `firstPosition` on are in it, up to the next part's. */
export interface Part {
  spreadsheetId: string;
  firstPosition: number;
}

/** A spreadsheet holds 10,000,000 cells, empty ones too; what is left is for columns that are added later. */
export const cellBudget = 8_000_000;

/** The row that a position of the ledger has for ever, counted from 0 with the header, and its part. Positions begin at 0. */
export function rowOf(parts: readonly Part[], position: number): { part: Part; rowIndex: number } | undefined {
  const part = parts.findLast(({ firstPosition }) => firstPosition <= position);
  return part && { part, rowIndex: position - part.firstPosition + 1 };
}

/** The position that stands in a row, the other way round; undefined for the header. */
export function positionOf(part: Part, rowIndex: number): number | undefined {
  return rowIndex < 1 ? undefined : part.firstPosition + rowIndex - 1;
}

/**
 * Whether a position of the last part is above its budget, so that the next part is to begin: at the first one that is
 * not written. It does not begin earlier, because rows keep the places they have; what is above the budget by then, where
 * columns were added, is left of the 10,000,000.
 */
export function shouldBeginPart(parts: readonly Part[], { nextPosition, columnCount }: { nextPosition: number; columnCount: number }): boolean {
  const last = parts.at(-1);
  if (last === undefined) return true;
  const rowCount = nextPosition - last.firstPosition + 2;
  return rowCount * columnCount > cellBudget;
}
