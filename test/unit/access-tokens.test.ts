import { generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAccessTokens } from '../../src/accounts/access-tokens.ts';
import { newId } from '../../src/events/id.ts';

const newKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const viewer = { userId: newId('usr'), organizationId: newId('org') };
const setUp = (privateKeyPem = newKey()) => {
  const clock = { ms: Date.parse('2026-11-21T00:00:00Z') };
  return { clock, privateKeyPem, tokens: createAccessTokens({ privateKeyPem, now: () => new Date(clock.ms) }) };
};

test('a token speaks for its viewer for one hour, remembered or not', async () => {
  const { clock, tokens } = setUp();
  const token = await tokens.sign(viewer);
  const unseen = await tokens.sign(viewer);
  expect(await tokens.verify(token)).toEqual(viewer);
  clock.ms += 3_599_000;
  expect([await tokens.verify(token), await tokens.verify(unseen)]).toEqual([viewer, viewer]);
  clock.ms += 1_000;
  expect([await tokens.verify(token), await tokens.verify(unseen)]).toEqual([undefined, undefined]);
});

test('every process with the same key takes it, none with another', async () => {
  const { privateKeyPem, tokens } = setUp();
  const token = await tokens.sign(viewer);
  expect(await setUp(privateKeyPem).tokens.verify(token)).toEqual(viewer);
  expect(await setUp().tokens.verify(token)).toBeUndefined();
});

test('a token that says it needs no signature, or another algorithm, is none', async () => {
  const { tokens } = setUp();
  const [, payload] = (await tokens.sign(viewer)).split('.');
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(await tokens.verify(`${part({ alg: 'none' })}.${payload}.`)).toBeUndefined();
  expect(await tokens.verify(`${part({ alg: 'HS256' })}.${payload}.${part('x')}`)).toBeUndefined();
});

test('a token of ours for another purpose is refused', async () => {
  const { privateKeyPem, tokens, clock } = setUp();
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: viewer.userId, org: viewer.organizationId, iss: 'formwire', exp: clock.ms / 1_000 + 60 };
  const signed = (more: object) => {
    const text = `${part({ alg: 'EdDSA' })}.${part({ ...claims, ...more })}`;
    return `${text}.${sign(null, Buffer.from(text), privateKeyPem).toString('base64url')}`;
  };
  expect(await tokens.verify(signed({ aud: 'formwire-api' }))).toEqual(viewer);
  expect(await tokens.verify(signed({ aud: 'something else' }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', iss: 'somebody' }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', exp: undefined }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', sub: 'root' }))).toBeUndefined();
});
