import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { NetworkPolicy } from '../../integrations/provider.ts';

/** The part of the network policy that the rules below depend on. */
export type AddressRules = Pick<NetworkPolicy, 'allowLoopback'>;

/** What no setting forbids. What passes by these rules and is refused by others may be reached from another process. */
export const widestRules: AddressRules = { allowLoopback: true };

/** Makes the policy that providers ask and that the HTTP client enforces. */
export function networkPolicy(rules: AddressRules): NetworkPolicy {
  return {
    allowLoopback: rules.allowLoopback,
    whyUrlRefused: (url) => whyUrlRefused(url, rules),
  };
}

/**
 * Tells why an IP address must not be reached, as a noun phrase (`a private address`), or undefined where it may be:
 * only public unicast passes, and loopback where the policy allows it. IPv6 that carries IPv4 inside is refused whole,
 * because what it reaches depends on a gateway we do not know. Takes any text; what is no address is refused.
 * Source: IANA IPv4 and IPv6 Special-Purpose Address Registries.
 */
export function whyRefused(address: string, policy: AddressRules): string | undefined {
  if (isIP(address) === 0) return 'not an IP address'; // ipaddr.js alone would take 1.2.3 too
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range === 'loopback') return policy.allowLoopback ? undefined : 'a loopback address';
  if (range !== 'unicast') return phrases[range] ?? 'a reserved address';
  if (isCloudHostService(parsed)) return 'an address of the cloud host';
  return isOutsideGlobalUnicast(parsed) ? 'a reserved address' : undefined;
}

/**
 * Tells what is wrong with a URL to send to, in a sentence, or undefined where nothing is that the URL alone can show;
 * what its name resolves to is checked again whenever a connection is made. http passes beside https: the signature
 * still proves who sent the body, and whether others may read it is the owner's choice.
 */
export function whyUrlRefused(url: string, policy: AddressRules): string | undefined {
  const parsed = URL.parse(url);
  return parsed === null ? 'This is not a URL.' : whyParsedUrlRefused(parsed, policy);
}

/** The same for a URL that is already parsed. */
export function whyParsedUrlRefused(url: URL, policy: AddressRules): string | undefined {
  const { protocol, username, password, hostname } = url;
  if (protocol !== 'https:' && protocol !== 'http:') return 'The URL must begin with https:// or http://.';
  if (username !== '' || password !== '') {
    return 'The URL must not contain a user name or a password; send an authorization header instead.';
  }
  const refusal = whyHostRefused(hostname, policy);
  return refusal === undefined ? undefined : `The URL's host is ${refusal}, which integrations may not reach.`;
}

/** `hostname` as WHATWG URL leaves it: decimal, hexadecimal and octal IPv4 are already dotted, IPv6 is in brackets. */
function whyHostRefused(hostname: string, policy: AddressRules): string | undefined {
  const host = hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '');
  if (isIP(host) !== 0) return whyRefused(host, policy);
  const isThisMachine = host === 'localhost' || host.endsWith('.localhost');
  return isThisMachine && !policy.allowLoopback ? 'this machine' : undefined;
}

/**
 * Whatever the library does not name counts as `unicast`, `::127.0.0.1` among it. IPv6 has given out only 2000::/3 so
 * far, so that everything else is refused without a list. Source: RFC 4291, 2.4; IANA IPv6 Address Space.
 */
function isOutsideGlobalUnicast(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address instanceof ipaddr.IPv6 && ((address.parts[0] ?? 0) & 0xe000) !== 0x2000;
}

/** Azure's metadata and DNS service answers at a public address; those of other clouds lie in ranges refused anyway. */
function isCloudHostService(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  return address.toString() === '168.63.129.16';
}

const phrases: Partial<Record<string, string>> = {
  unspecified: 'the unspecified address',
  broadcast: 'the broadcast address',
  multicast: 'a multicast address',
  linkLocal: 'a link-local address',
  private: 'a private address',
  uniqueLocal: 'a private address',
  deprecatedSiteLocal: 'a private address',
  carrierGradeNat: 'a carrier NAT address',
  ipv4Mapped: 'an IPv4 address inside IPv6',
  rfc6145: 'an IPv4 address inside IPv6',
  rfc6052: 'an IPv4 address inside IPv6',
  '6to4': 'an IPv4 address inside IPv6',
  teredo: 'an IPv4 address inside IPv6',
};
