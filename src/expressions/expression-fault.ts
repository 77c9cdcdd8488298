import type { ASTNode } from '@marcbachmann/cel-js';

/** Why a text is no expression that can be used: a sentence that says where in the text, and what is wrong there. */
export class ExpressionFault extends Error {
  override name = 'ExpressionFault';
}

/** A fault at a part of the source. `reason` is a sentence. */
export const faultAt = ({ input, start, end }: Pick<ASTNode, 'input' | 'start' | 'end'>, reason: string): ExpressionFault =>
  new ExpressionFault(`At character ${start + 1}${excerpt(input.slice(start, end))}: ${reason}`);

function excerpt(text: string): string {
  if (text.trim() === '') return '';
  return ` (${(text.length > 40 ? `${text.slice(0, 40)}…` : text).toWellFormed()})`;
}
