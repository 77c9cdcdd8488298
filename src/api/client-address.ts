import { isIP } from 'node:net';

/**
 * Where a request comes from. Each of our own proxies adds the address it was called from to the end of
 * `X-Forwarded-For`, so with `trustedProxies` of them the client is that many entries from the end; what stands before
 * it is whatever the client says. With none the header counts for nothing.
 *
 * @example clientAddress({ remote: '10.0.0.7', forwardedFor: 'forged, 203.0.113.9', trustedProxies: 1 }) // 203.0.113.9
 */
export function clientAddress(facts: { remote: string | undefined; forwardedFor: string | undefined; trustedProxies: number }): string {
  const { remote = 'unknown', forwardedFor, trustedProxies } = facts;
  if (trustedProxies === 0 || !forwardedFor) return plain(remote);
  const hops = forwardedFor.split(',').map((hop) => hop.trim());
  const client = plain(hops.at(-trustedProxies) ?? hops[0] ?? '');
  return isIP(client) === 0 ? plain(remote) : client;
}

/** One spelling for an address: an IPv4 address that came in over IPv6 is still one. */
const plain = (address: string): string => address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
