import { expressionLimits } from '../expressions/parse.ts';

/** How large a form may be. Past these, a fault of the input. */
export const formLimits = {
  titleLength: 500,
  descriptionLength: 10_000,
  questions: 500,
  questionTextLength: 2_000,
  /** Of one question. */
  choices: 1_000,
  choiceTextLength: 1_000,
  /** Titles and descriptions of sections are as long as the form's own. */
  sections: 100,
  /** Languages of a form besides its own. */
  locales: 50,
  /** Characters of one condition; its names, values and operators; how deep they stand in each other. */
  conditionLength: expressionLimits.length,
  conditionSize: expressionLimits.size,
  conditionDepth: expressionLimits.depth,
  /** Of a form, those of sections included. */
  conditions: 500,
  /** Names, values and operators of all conditions of a form: each response works them all out. */
  conditionsSize: 5_000,
  patternLength: 500,
  /** Of a text that must match a pattern: what matching takes grows with both. */
  patternedTextLength: 1_000,
  /** Instructions of one pattern's program, and of all of a form, its conditions' included: matching takes at most as many steps for each character. */
  patternSize: 500,
  patternsSize: 5_000,
  ratingMax: 100,
  decimals: 15,
  /** What an answer of a text kind has at most, with or without a maxLength. */
  answerLength: 50_000,
  /** Of a whole version, as JSON: it is kept in memory by whoever takes responses, and read with every page of answers. */
  definitionBytes: 2 * 1024 * 1024,
} as const;
