/** How large a form may be. Past these, a fault of the input. */
export const formLimits = {
  titleLength: 500,
  descriptionLength: 10_000,
  questions: 500,
  questionTextLength: 2_000,
  /** Of one question. */
  choices: 1_000,
  choiceTextLength: 1_000,
  /** Of a whole version, as JSON: it is kept in memory by whoever takes responses, and read with every page of answers. */
  definitionBytes: 2 * 1024 * 1024,
} as const;
