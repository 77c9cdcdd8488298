export interface Column<Row> {
  title: string;
  text: (row: Row) => string;
  /** Gives the text its colour; absent: none. */
  paint?: (text: string, row: Row) => string;
  /** Numbers stand at the right. */
  align?: 'right';
}

interface Cell {
  text: string;
  painted: string;
}

/**
 * Rows as lines for people: columns two spaces apart, as wide as their widest text, under their titles. Colours take no
 * width, and a text never breaks its line or brings a colour of its own. Answers no line for no rows.
 */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  if (rows.length === 0) return [];
  const cells = [columns.map(({ title }) => ({ text: title, painted: title })), ...rows.map((row) => columns.map((column) => cellOf(row, column)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.text.length ?? 0)));
  return cells.map((line) => line.map((cell, index) => padded(cell, { width: widths[index] ?? 0, align: columns[index]?.align })).join('  ').trimEnd());
}

function cellOf<Row>(row: Row, { text, paint }: Column<Row>): Cell {
  const clean = oneLine(text(row));
  return { text: clean, painted: paint && clean !== '' ? paint(clean, row) : clean };
}

/** What others have written, such as an error of a receiver, must not break the line, move the cursor, or hide what follows. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(controls, '');
const controls = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g; // oxlint-disable-line no-control-regex -- these, and the marks that turn the direction of a line, are what it takes away

function padded({ text, painted }: Cell, { width, align }: { width: number; align: 'right' | undefined }): string {
  const space = ' '.repeat(width - text.length);
  return align === 'right' ? space + painted : painted + space;
}
