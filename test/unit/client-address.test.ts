import { expect, test } from 'vitest';
import { clientAddress } from '../../src/api/client-address.ts';

const remote = '10.0.0.7';

test('without proxies of ours, what a client says of its address counts for nothing', () => {
  expect(clientAddress({ remote, forwardedFor: '203.0.113.9', trustedProxies: 0 })).toBe(remote);
});

test('each trusted proxy is one entry from the end; what a client put before is not looked at', () => {
  const forwardedFor = 'forged, 203.0.113.9, 198.51.100.2';
  expect(clientAddress({ remote, forwardedFor, trustedProxies: 1 })).toBe('198.51.100.2');
  expect(clientAddress({ remote, forwardedFor, trustedProxies: 2 })).toBe('203.0.113.9');
  expect(clientAddress({ remote, forwardedFor: '203.0.113.9', trustedProxies: 2 })).toBe('203.0.113.9');
});

test('a header that is missing or no address leaves the address of the connection', () => {
  expect(clientAddress({ remote, forwardedFor: undefined, trustedProxies: 1 })).toBe(remote);
  expect(clientAddress({ remote, forwardedFor: 'x'.repeat(10_000), trustedProxies: 1 })).toBe(remote);
  expect(clientAddress({ remote: undefined, forwardedFor: undefined, trustedProxies: 1 })).toBe('unknown');
});

test('an IPv4 address that came in over IPv6 is the same one', () => {
  expect(clientAddress({ remote: '::ffff:192.0.2.1', forwardedFor: undefined, trustedProxies: 0 })).toBe('192.0.2.1');
});
