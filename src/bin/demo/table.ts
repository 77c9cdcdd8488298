export type Cell = string | number | boolean | null;

/** Rows as lines of text, each column as wide as it needs to be and no wider than `maxWidth`; numbers to the right. */
export function tableLines(rows: readonly (readonly Cell[])[], maxWidth: number): string[] {
  const texts = rows.map((row) => row.map((cell) => shortened(cell, maxWidth)));
  const columns = Math.max(0, ...texts.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) => Math.max(0, ...texts.map((row) => row[column]?.length ?? 0)));
  return rows.map((row, index) =>
    widths.map((width, column) => (typeof row[column] === 'number' ? (texts[index]?.[column] ?? '').padStart(width) : (texts[index]?.[column] ?? '').padEnd(width))).join(' │ ').trimEnd(),
  );
}

/** On one line, with a mark where something is left out. */
function shortened(cell: Cell, maxWidth: number): string {
  const text = String(cell ?? '').replaceAll(/\s+/g, ' ').trim();
  return text.length > maxWidth ? `${text.slice(0, maxWidth - 1)}…` : text;
}
