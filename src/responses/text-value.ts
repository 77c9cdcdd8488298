import type { QuestionDefinition } from '../forms/form-definition.ts';
import { formLimits } from '../forms/form-limits.ts';
import { compilePattern } from '../linear-pattern.ts';
import { whyTextUnstorable } from '../storable.ts';
import { hint, quoted, Refusal, type ReadValue } from './read-value.ts';

const maxUrlLength = 2_048;

/** A reader of texts that can be stored. */
export function textual(read: (text: string) => string | Refusal): ReadValue {
  return (value) => {
    if (typeof value !== 'string') return new Refusal(`must be a text${hint(value)}`);
    const unstorable = whyTextUnstorable(value);
    return unstorable === undefined ? read(value) : new Refusal(unstorable);
  };
}

/** Reads a text of the length and pattern that the question asks for. The empty text of a field left alone is none of their business. */
export function compileText(question: QuestionDefinition): (text: string) => string | Refusal {
  const { required, constraints: { minLength = 0, maxLength, pattern } = {} } = question;
  const longest = maxLength ?? (pattern === undefined ? formLimits.answerLength : formLimits.patternedTextLength);
  const matches = pattern === undefined ? () => true : compilePattern(pattern);
  return (text) => {
    const length = charactersIn(text);
    if (length > longest) return new Refusal(`is ${length} characters long; at most ${longest} are kept`);
    if (required && text.trim() === '') return new Refusal('needs an answer that is not blank', { code: 'ANSWER_REQUIRED' });
    if (text === '') return text;
    if (length < minLength) return new Refusal(`must have at least ${minLength} characters; this has ${length}`);
    return matches(text) ? text : new Refusal(`must match ${quoted(pattern ?? '')} as a whole; ${quoted(text)} does not`);
  };
}

/** Code points, which patterns and conditions count too; some of them are two units of a JavaScript text. */
function charactersIn(text: string): number {
  let pairs = 0;
  for (let index = 0; index < text.length; index += 1) if ((text.charCodeAt(index) & 0xfc00) === 0xd800) pairs += 1;
  return text.length - pairs;
}

/** An absolute address of the web, without spaces: what a browser would mend is refused. */
export function whyNotUrl(text: string): Refusal | undefined {
  if (text.length > maxUrlLength) return new Refusal(`is ${text.length} characters long; at most ${maxUrlLength} are kept`);
  const isUrl = /^https?:\/\/[^\s\p{Cc}\\]+$/iu.test(text) && URL.canParse(text);
  return isUrl ? undefined : new Refusal(`must be an address such as https://example.org/path; ${quoted(text)} is not`);
}
