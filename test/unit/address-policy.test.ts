import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { whyRefused, whyUrlRefused } from '../../src/outbound/address-policy.ts';

const strict = { allowLoopback: false };
const embedded = { allowLoopback: true };

describe('addresses', () => {
  test.each([
    '8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255',
    '223.255.255.255', '2606:4700:4700::1111', '2a00:1450:4001:80b::200e',
  ])('%s is public and may be reached', (address) => {
    expect(whyRefused(address, strict)).toBeUndefined();
  });

  test.each([
    ['0.0.0.0', 'unspecified'], ['0.1.2.3', 'unspecified'], ['10.0.0.1', 'private'], ['100.64.0.1', 'carrier NAT'],
    ['100.100.100.200', 'carrier NAT'], ['127.0.0.1', 'loopback'], ['127.255.255.254', 'loopback'],
    ['169.254.169.254', 'link-local'], ['172.16.0.1', 'private'], ['172.31.255.255', 'private'],
    ['192.0.0.192', 'reserved'], ['192.0.2.1', 'reserved'], ['192.88.99.1', 'reserved'], ['192.168.1.1', 'private'],
    ['198.18.0.1', 'reserved'], ['198.19.255.255', 'reserved'], ['198.51.100.1', 'reserved'],
    ['203.0.113.1', 'reserved'], ['224.0.0.1', 'multicast'], ['239.255.255.250', 'multicast'],
    ['240.0.0.1', 'reserved'], ['255.255.255.255', 'broadcast'], ['168.63.129.16', 'cloud host'],
    ['::', 'unspecified'], ['::1', 'loopback'], ['fe80::1', 'link-local'], ['fe80::1%eth0', 'link-local'],
    ['fec0::1', 'private'], ['fc00::1', 'private'], ['fd00:ec2::254', 'private'], ['ff02::1', 'multicast'],
    ['100::1', 'reserved'], ['2001:db8::1', 'reserved'], ['3fff::1', 'reserved'], ['2001:2::1', 'reserved'],
    ['2001:20::1', 'reserved'], ['5f00::1', 'reserved'], ['4000::1', 'reserved'],
    ['::ffff:8.8.8.8', 'inside IPv6'], ['::ffff:7f00:1', 'inside IPv6'], ['::ffff:0:127.0.0.1', 'inside IPv6'],
    ['::127.0.0.1', 'inside IPv6'], ['::808:808', 'reserved'], ['64:ff9b::8.8.8.8', 'inside IPv6'],
    ['64:ff9b::a9fe:a9fe', 'inside IPv6'], ['64:ff9b:1::a00:1', 'inside IPv6'], ['2002:7f00:1::', 'inside IPv6'],
    ['2001::1', 'inside IPv6'], ['', 'not an IP address'], ['example.com', 'not an IP address'],
    ['1.2.3', 'not an IP address'], ['[::1]', 'not an IP address'],
  ])('%s is refused: %s', (address, reason) => {
    expect(whyRefused(address, strict)).toContain(reason);
  });

  test.each(['127.0.0.1', '127.9.9.9', '::1'])('%s may be reached where loopback is allowed', (address) => {
    expect(whyRefused(address, embedded)).toBeUndefined();
  });

  test.each(['10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', '0.0.0.0', 'fd00::1'])(
    '%s stays refused where loopback is allowed',
    (address) => {
      expect(whyRefused(address, embedded)).toBeDefined();
    },
  );

  test('no IPv4 address gets through inside an IPv6 one', () => {
    const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
    fc.assert(
      fc.property(group, group, (high, low) => {
        const forms = [`::${high}:${low}`, `::ffff:${high}:${low}`, `::ffff:0:${high}:${low}`, `64:ff9b::${high}:${low}`];
        for (const form of [...forms, `64:ff9b:1::${high}:${low}`, `2002:${high}:${low}::`, `2001:0:${high}:${low}::1`]) {
          expect(whyRefused(form, strict), form).toBeDefined();
        }
      }),
    );
  });
});

describe('URLs', () => {
  test.each([
    'https://example.com/hooks', 'http://example.com:8080/hooks?a=b', 'https://8.8.8.8/', 'https://localhost.example.com/',
    'https://[2606:4700:4700::1111]/', 'https://xn--bcher-kva.example/', 'https://127.0.0.1.nip.io/',
  ])('%s may be reached', (url) => {
    expect(whyUrlRefused(url, strict)).toBeUndefined();
  });

  test.each([
    ['hooks.example.com', 'not a URL'], ['', 'not a URL'], ['https://', 'not a URL'], ['http://256.256.256.256/', 'not a URL'],
    ['ftp://example.com/', 'https://'], ['file:///etc/passwd', 'https://'], ['gopher://example.com/', 'https://'],
    ['javascript:alert(1)', 'https://'], ['https://user@example.com/', 'user name'],
    ['https://user:pass@example.com/', 'password'], ['https://:pass@example.com/', 'password'],
  ])('%s is refused: %s', (url, reason) => {
    expect(whyUrlRefused(url, embedded)).toContain(reason);
  });

  const thisMachine = [
    'http://127.0.0.1/', 'http://127.1/', 'http://2130706433/', 'http://0x7f000001/', 'http://0x7f.1/',
    'http://0177.0.0.1/', 'http://017700000001/', 'http://127.0.0.1./', 'http://%31%32%37.0.0.1/', 'http://１２７.0.0.1/',
    'http://127。0。0。1/', 'http://[::1]/', 'http://[0:0:0:0:0:0:0:1]/', 'http://localhost/', 'http://LOCALHOST/',
    'http://localhost./', 'http://a.localhost/', 'http://a.localhost.:80/', 'http://ⓛocalhost/', 'https:127.0.0.1',
    'http:\\\\127.0.0.1\\', 'http://\t127.0.0.1\n/',
  ];
  test.each(thisMachine)('%s is this machine, and refused', (url) => {
    expect(whyUrlRefused(url, strict)).toContain('may not reach');
  });
  test.each(thisMachine)('%s may be reached where loopback is allowed', (url) => {
    expect(whyUrlRefused(url, embedded)).toBeUndefined();
  });

  test.each([
    'http://169.254.169.254/latest/meta-data/', 'http://2852039166/', 'http://0xa9fea9fe/', 'http://0251.0376.0251.0376/',
    'http://0/', 'http://0.0.0.0/', 'http://10.1/', 'http://[::ffff:127.0.0.1]/', 'http://[::ffff:7f00:1]/',
    'http://[::127.0.0.1]/', 'http://[64:ff9b::7f00:1]/', 'http://[fe80::1]/', 'http://[::]/', 'http://192.168.0.1.:8080/',
  ])('%s is refused everywhere', (url) => {
    expect(whyUrlRefused(url, embedded)).toContain('may not reach');
  });

  test('every spelling of a private IPv4 address is refused', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(octet, octet, octet, (b, c, d) => {
        const value = 10 * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
        const spellings = [`10.${b}.${c}.${d}`, `${value}`, `0x${value.toString(16)}`, `0${value.toString(8)}`, `10.${value % 2 ** 24}`];
        for (const host of spellings) expect(whyUrlRefused(`http://${host}/`, embedded), host).toContain('private');
      }),
    );
  });
});
