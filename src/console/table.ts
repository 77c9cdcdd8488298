import { stripVTControlCharacters } from 'node:util';

export interface Column<Row> {
  title: string;
  text: (row: Row) => string;
  /** Numbers stand at the right. */
  align?: 'right';
}

/**
 * Rows as lines for people: columns two spaces apart, as wide as their widest text, under their titles. Colours take no
 * width, and a text never breaks its line. Answers no line for no rows.
 */
export function tableLines<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  if (rows.length === 0) return [];
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ text }) => oneLine(text(row))))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => widthOf(line[index] ?? ''))));
  return cells.map((line) => line.map((cell, index) => padded(cell, { width: widths[index] ?? 0, align: columns[index]?.align })).join('  ').trimEnd());
}

/** What others have written, such as an error of a receiver, must not break the line or move the cursor. */
export const oneLine = (text: string): string => text.replace(/\s+/g, ' ').replace(controls, '');
/** All but the escape of the colours that `paint` makes. */
const controls = /[\u0000-\u001a\u001c-\u001f\u007f-\u009f]|\u001b(?!\[\d+m)/g; // oxlint-disable-line no-control-regex -- these are what it takes away

const widthOf = (text: string): number => stripVTControlCharacters(text).length;

function padded(text: string, { width, align }: { width: number; align: 'right' | undefined }): string {
  const space = ' '.repeat(width - widthOf(text));
  return align === 'right' ? space + text : text + space;
}
