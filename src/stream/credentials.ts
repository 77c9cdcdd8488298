import { readFileSync } from 'node:fs';
import { credsAuthenticator, nkeyAuthenticator, type Authenticator } from '@nats-io/transport-node';

/** A user's, in base 32. Source: docs.nats.io, "NKeys". */
const nkeySeed = /^SU[A-Z2-7]{56}$/;

/**
 * Who we are to NATS by a file: one of credentials, with a user's token and seed, as `nsc generate creds` writes it, or
 * the seed of an nkey alone. Throws a sentence for people, without what is in it, where it is neither.
 */
export function readCredentials(file: string): Authenticator {
  try {
    const bytes = readFileSync(file);
    const seed = bytes.toString().trim();
    const authenticator = nkeySeed.test(seed) ? nkeyAuthenticator(Buffer.from(seed)) : credsAuthenticator(bytes);
    authenticator('tried'); // reads it, and signs
    return authenticator;
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause && typeof cause.code === 'string' && cause.code.startsWith('E') ? `cannot be read (${cause.code})` : 'holds neither credentials of NATS nor the seed of a user';
    throw new Error(`${file} of FORMWIRE_NATS_CREDENTIALS ${why}.`, { cause });
  }
}

/**
 * The same, read anew for each connection: whoever puts another file there need not restart us. While it is being
 * replaced, what was there before has to do: a connection whose credentials throw is closed for good.
 */
export function followCredentials(file: string): Authenticator {
  let known = readCredentials(file);
  return (nonce) => {
    try {
      known = readCredentials(file);
    } catch {
      // told by the server's answer, if it is not let in any more
    }
    return known(nonce);
  };
}
