import { hash, verify } from '@node-rs/argon2';
import { UnavailableError } from '../user-error.ts';

/** OWASP's recommendation for argon2id: 19 MiB, two passes, one lane. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** The hash of a random value nobody knows, at the same cost as every other. */
const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$cHd8JZIjOSjPO4Ea4cy2jw$ua9eQ7RhK4yLN74UVorUTisAZsP2n5MBg4ZcyA3an6Y';

/** Hashes and checks passwords off the main thread, with a bound on how many may wait for their turn. */
export interface Passwords {
  /** argon2id with a salt of its own, in PHC form, which says its own parameters. */
  hash(password: string): Promise<string>;
  /**
   * Whether a password is the one hashed. Without a hash (no such account) it does the same work and says no, so that
   * the time of an answer does not tell which accounts exist.
   */
  isPassword(password: string, passwordHash: string | undefined): Promise<boolean>;
}

/** `maxWaiting`: how many may be under way before more are refused as OVERLOADED; each takes some 20 ms of a core. */
export function createPasswords({ maxWaiting }: { maxWaiting: number } = { maxWaiting: 100 }): Passwords {
  let waiting = 0;

  const bounded = async <T>(work: () => Promise<T>): Promise<T> => {
    if (waiting >= maxWaiting) throw new UnavailableError('OVERLOADED', 'Too many people are logging in; try again.', 1_000);
    waiting += 1;
    try {
      return await work();
    } finally {
      waiting -= 1;
    }
  };

  return {
    hash: (password) => bounded(() => hash(password, cost)),
    isPassword: async (password, passwordHash) => {
      const isEqual = await bounded(() => verify(passwordHash ?? nobodysHash, password, cost));
      return isEqual && passwordHash !== undefined;
    },
  };
}
