/** What one check of the installation found. */
export interface Finding {
  /** What was looked at, in two or three words. */
  check: string;
  /** wrong: something does not work, or will lose something · doubtful: it works, but look at it */
  state: 'sound' | 'doubtful' | 'wrong';
  /** What was seen, in a sentence or a few words. */
  seen: string;
  /** What to do; absent where it is sound. */
  mend?: string;
}

export const sound = (check: string, seen: string): Finding => ({ check, state: 'sound', seen });
export const doubtful = (check: string, seen: string, mend: string): Finding => ({ check, state: 'doubtful', seen, mend });
export const wrong = (check: string, seen: string, mend: string): Finding => ({ check, state: 'wrong', seen, mend });

/** What an error says, in one line. */
export const saidBy = (error: unknown): string => {
  // a name with several addresses has one error for each, and no message of its own
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return first instanceof Error ? first.message.replace(/\s+/g, ' ') : String(first);
};

/** Runs a check; one that cannot be made is wrong itself, with `mend`. */
export async function attempted(check: string, mend: string, look: () => Promise<Finding[]> | Finding[]): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    return [wrong(check, saidBy(error), mend)];
  }
}
