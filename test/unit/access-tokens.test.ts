import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { createAccessTokens } from '../../src/accounts/access-tokens.ts';
import { newId } from '../../src/events/id.ts';

const newKey = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const holder = { userId: newId('usr'), sessionId: newId('ses') };
const setUp = (privateKeyPem = newKey(), oldKeyPems: string[] = []) => {
  const clock = { ms: Date.parse('2026-11-21T00:00:00Z') };
  return { clock, privateKeyPem, tokens: createAccessTokens({ privateKeyPem, oldKeyPems, now: () => new Date(clock.ms) }) };
};

test('a token names its holder for one hour, remembered or not', async () => {
  const { clock, tokens } = setUp();
  const token = await tokens.sign(holder);
  const unseen = await tokens.sign(holder);
  expect(await tokens.verify(token)).toEqual(holder);
  clock.ms += 3_599_000;
  expect([await tokens.verify(token), await tokens.verify(unseen)]).toEqual([holder, holder]);
  clock.ms += 1_000;
  expect([await tokens.verify(token), await tokens.verify(unseen)]).toEqual([undefined, undefined]);
});

test('every process with the same key takes it, none with another', async () => {
  const { privateKeyPem, tokens } = setUp();
  const token = await tokens.sign(holder);
  expect(await setUp(privateKeyPem).tokens.verify(token)).toEqual(holder);
  expect(await setUp().tokens.verify(token)).toBeUndefined();
});

test('a token that says it needs no signature, or another algorithm, is none', async () => {
  const { tokens } = setUp();
  const [, payload] = (await tokens.sign(holder)).split('.');
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  expect(await tokens.verify(`${part({ alg: 'none' })}.${payload}.`)).toBeUndefined();
  expect(await tokens.verify(`${part({ alg: 'HS256' })}.${payload}.${part('x')}`)).toBeUndefined();
});

test('a token of ours for another purpose is refused', async () => {
  const { privateKeyPem, tokens, clock } = setUp();
  const { kid } = JSON.parse(Buffer.from((await tokens.sign(holder)).split('.')[0] ?? '', 'base64url').toString());
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: holder.userId, sid: holder.sessionId, iss: 'formwire', exp: clock.ms / 1_000 + 60 };
  const signed = (more: object) => {
    const text = `${part({ alg: 'EdDSA', kid })}.${part({ ...claims, ...more })}`;
    return `${text}.${sign(null, Buffer.from(text), privateKeyPem).toString('base64url')}`;
  };
  expect(await tokens.verify(signed({ aud: 'formwire-api' }))).toEqual(holder);
  expect(await tokens.verify(signed({ aud: 'something else' }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', iss: 'somebody' }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', exp: undefined }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', sub: 'root' }))).toBeUndefined();
  expect(await tokens.verify(signed({ aud: 'formwire-api', sid: undefined }))).toBeUndefined();
});

test('after a rotation the tokens of the old key are still taken, where its public half is known', async () => {
  const [before, after] = [newKey(), newKey()];
  const token = await setUp(before).tokens.sign(holder);
  const oldPublic = createPublicKey(before).export({ type: 'spki', format: 'pem' }).toString();
  expect(await setUp(after, [before]).tokens.verify(token)).toEqual(holder);
  expect(await setUp(after, [newKey(), oldPublic]).tokens.verify(token)).toEqual(holder);
  expect(await setUp(after, [newKey()]).tokens.verify(token)).toBeUndefined();
  const signedAnew = await setUp(after, [oldPublic]).tokens.sign(holder);
  expect(await setUp(before).tokens.verify(signedAnew)).toBeUndefined();
  expect(await setUp(before, [after]).tokens.verify(signedAnew)).toEqual(holder);
});
