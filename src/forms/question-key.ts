const maxLength = 64;
const pattern = /^[a-z][a-z0-9_]{0,63}$/;

/** Whether a text can be a question's key: a name that programs and rules can use. */
export const isQuestionKey = (text: string): boolean => pattern.test(text);

/** What is left of letters that Unicode does not take apart into a letter of ASCII and an accent. */
const folded: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', ø: 'o', ł: 'l', đ: 'd', ð: 'd', þ: 'th', ı: 'i' };

/**
 * Makes a key from a question's text: `What is your e-mail?` → `what_is_your_e_mail`. Where `taken` has it already, a
 * number follows: `age`, `age_2`. A text without a letter of ASCII gives `question`.
 */
export function makeQuestionKey(text: string, taken: ReadonlySet<string>): string {
  const base = snakeCase(text);
  for (let number = 1; ; number += 1) {
    const suffix = number === 1 ? '' : `_${number}`;
    const key = base.slice(0, maxLength - suffix.length).replace(/_+$/, '') + suffix;
    if (!taken.has(key)) return key;
  }
}

function snakeCase(text: string): string {
  const ascii = text
    .slice(0, 4 * maxLength) // the rest cannot matter, and a long text need not be folded whole
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[ßæœøłđðþı]/g, (letter) => folded[letter] ?? '')
    .replace(/\p{M}/gu, '');
  const words = ascii.match(/[a-z0-9]+/g) ?? [];
  const key = words.join('_');
  if (key === '') return 'question';
  return /^[a-z]/.test(key) ? key : `q_${key}`;
}
