/** How commands end, for scripts; `formwire --help` says the same. */
export const exitCodes = {
  /** Done, and nothing is wrong. */
  fine: 0,
  /** It could not be done. */
  failed: 1,
  /** The command line is wrong. */
  wrongUse: 2,
  /** Done, and there is something to look at: late, dead or missing deliveries, or a check that failed. */
  found: 3,
} as const;

/** The command line asks for something that there is not; the message says what there is. */
export class WrongUse extends Error {
  override name = 'WrongUse';
}
