import { lookup as systemLookup, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { whyRefused, widestRules, type AddressRules } from './address-policy.ts';

/** Every address a host name has now. Rejects with the resolver's error, for example `ENOTFOUND`. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

/** Stands for a connection that was not made because the network policy forbids the address. */
export class AddressRefusedError extends Error {
  override name = 'AddressRefusedError';
  readonly code = 'ERR_ADDRESS_REFUSED';
  /** A setting of this process forbids it, and nothing else does. */
  readonly isOurSetting: boolean;

  constructor(message: string, addresses: readonly string[]) {
    super(message);
    this.isOurSetting = addresses.every((address) => whyRefused(address, widestRules) === undefined);
  }
}

/**
 * Makes undici's connector that connects only to addresses which pass the policy. The check sits where the socket is
 * opened and looks at the very addresses the socket will use, so a name that resolves differently from one moment to
 * the next (DNS rebinding) cannot pass it. Only HTTP/1.1 is offered: one exchange a socket, so that ending one harms no
 * other.
 */
export function createCheckedConnector(options: {
  policy: AddressRules;
  connectTimeoutMs: number;
  resolve?: Resolve;
  certificateAuthorities?: readonly string[];
}): buildConnector.connector {
  const { policy, connectTimeoutMs, resolve = resolveWithSystem, certificateAuthorities } = options;
  const connect = buildConnector({
    allowH2: false,
    timeout: connectTimeoutMs,
    lookup: createCheckedLookup(policy, shareLookups(resolve)),
    ...(certificateAuthorities === undefined ? {} : { ca: [...certificateAuthorities] }),
  });
  return (target, callback) => {
    // node:net calls no lookup for a literal address.
    const refusal = isIP(target.hostname) === 0 ? undefined : whyRefused(target.hostname, policy);
    if (refusal === undefined) connect(target, callback);
    else queueMicrotask(() => callback(new AddressRefusedError(`is ${refusal}`, [target.hostname]), null));
  };
}

/**
 * One bad address refuses the name: which of several addresses a socket takes is up to the network. The reason does not
 * tell the address, or an integration's owner could read our network's names from the delivery log.
 */
function createCheckedLookup(policy: AddressRules, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const refusal = addresses.map(({ address }) => whyRefused(address, policy)).find((why) => why !== undefined);
        const [first] = addresses;
        if (refusal !== undefined) callback(new AddressRefusedError(`resolves to ${refusal}`, addresses.map(({ address }) => address)), '');
        else if (first === undefined) callback(Object.assign(new Error('No address'), { code: 'ENOTFOUND' }), '');
        else if (options.all === true) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error('Lookup failed', { cause: error }), ''),
    );
  };
}

/**
 * Lets calls for the same name wait for one lookup: each holds a thread of libuv's small pool, and a name server that
 * does not answer for one receiver would take them all. Keeps no result, so a changed name is noticed at once.
 */
function shareLookups(resolve: Resolve): Resolve {
  const running = new Map<string, Promise<LookupAddress[]>>();
  return (hostname) => {
    const known = running.get(hostname);
    if (known !== undefined) return known;
    const lookup = resolve(hostname).finally(() => running.delete(hostname));
    running.set(hostname, lookup);
    return lookup;
  };
}

const resolveWithSystem: Resolve = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => (error ? reject(error) : resolve(addresses)));
  });
