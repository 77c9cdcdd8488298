/** A column of a form's sheet. It is known by its id for ever, whatever its title and wherever it stands. */
export interface Column {
  /** A question's id, or the name of something every response has. */
  id: string;
  title: string;
}

/** What every response has besides its answers. The first one says whose row it is. */
export const responseColumns = [
  { id: 'response', title: 'Response' },
  { id: 'submittedAt', title: 'Submitted' },
  { id: 'revision', title: 'Revision' },
  { id: 'flags', title: 'Flags' },
] as const satisfies readonly Column[];

/** The columns a form asks for, in its order. */
export function columnsOf(questions: readonly { id: string; text: string }[]): Column[] {
  return [...responseColumns, ...questions.map(({ id, text }) => ({ id, title: text }))];
}
