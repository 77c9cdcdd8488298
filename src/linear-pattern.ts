import { RE2JS } from 're2js';

/**
 * Patterns are strangers': JavaScript's own engine can be made to take for ever by 30 characters, so they run on
 * RE2's, which takes time in proportion to the text and to the size of the pattern's program. Therefore it has no
 * backreferences and cannot look ahead or behind.
 */
function programOf(pattern: string): RE2JS {
  const known = programs.get(pattern);
  if (known) return known;
  const program = RE2JS.compile(pattern);
  if (programs.size >= maxPrograms) programs.clear();
  programs.set(pattern, program);
  return program;
}

/** A memo of a pure function, which is asked about all patterns of a form at each of its edits. */
const programs = new Map<string, RE2JS>();
const maxPrograms = 500;

/** Why a text is no pattern by RE2's syntax; undefined where it is one. */
export function whyNoPattern(pattern: string): string | undefined {
  try {
    programOf(pattern);
    return undefined;
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
}

/** How many instructions the program of a pattern has. Throws for what is no pattern. */
export const patternSize = (pattern: string): number => programOf(pattern).programSize();

/** Makes a matcher of whole texts. Throws for what is no pattern. */
export function compilePattern(pattern: string): (text: string) => boolean {
  const program = programOf(pattern);
  return (text) => program.matches(text);
}
