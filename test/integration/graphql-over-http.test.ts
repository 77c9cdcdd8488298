import { serverAudits } from 'graphql-http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';

let api: DeliveryApi;
let token: string;
let as: string | undefined;

beforeAll(async () => {
  api = await startDeliveryApi();
  ({ token } = await api.newOwner());
});
afterAll(() => api[Symbol.asyncDispose]());

/** Sends what an audit sends, with the token of whoever asks. */
const send = (url: string, init: RequestInit = {}): Promise<Response> => {
  const headers = new Headers(init.headers);
  if (as !== undefined) headers.set('authorization', `Bearer ${as}`);
  return fetch(url, { ...init, headers });
};
const audits = serverAudits({ url: () => `${api.url}/graphql`, fetchFn: send });

test('there are as many audits of GraphQL over HTTP as there were when this was written', () => {
  expect(audits).toHaveLength(61);
  expect(new Set(audits.map(({ id }) => id)).size).toBe(61);
});

describe.for(['somebody logged in', 'a stranger'])('asked by %s, the server', (who) => {
  test.for(audits.map((audit) => [audit.name, audit] as const))('%s', async ([, audit]) => {
    as = who === 'a stranger' ? undefined : token;
    const result = await audit.fn();
    // What the server merely ought to do is reported as a warning; here it must.
    expect(result.status, 'reason' in result ? result.reason : '').toBe('ok');
  });
});
