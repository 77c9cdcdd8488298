import type { Id } from './id.ts';

/** What a rule has against a response, in the words it had for it when the response was accepted. */
export type Flag = {
  /** Its name, unique in its integration. */
  rule: string;
  /** A sentence for whoever can mend the response. */
  message: string;
  /** Keys of the questions it is about. */
  keys: string[];
  /** The integration whose rule it is. */
  integrationId: Id<'intg'>;
};
