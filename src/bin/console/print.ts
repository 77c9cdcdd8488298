import { styleText } from 'node:util';

/** Lines for people. */
export function printLines(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** One JSON document for scripts: dates in RFC 3339. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

type Colour = 'red' | 'yellow' | 'green' | 'gray' | 'bold';

/** In colour on a terminal that wants it, and as it is for everything else. */
export const paint = (colour: Colour, text: string): string => styleText(colour, text, { stream: process.stdout });

/** Of a number that should be 0: in colour where it is not. */
export const paintCount = (colour: Colour) => (text: string): string => (text === '0' ? text : paint(colour, text));

/** Whether `--json` was asked for; every command that tells something takes it. */
export const jsonArgument = { json: { type: 'boolean', description: 'One JSON document, for scripts.' } } as const;
