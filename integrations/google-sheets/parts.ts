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
 * Whether the next part is to begin, at `nextPosition`: the first one that no response has yet. It does not begin earlier,
 * because rows keep the places they have, also those that are reserved and not written; what is above the budget by then
 * is left of the 10,000,000.
 */
export function shouldBeginPart(parts: readonly Part[], { nextPosition, columnCount }: { nextPosition: number; columnCount: number }): boolean {
  const last = parts.at(-1);
  if (last === undefined) return true;
  const rowCount = nextPosition - last.firstPosition + 2;
  return rowCount * columnCount > cellBudget;
}
