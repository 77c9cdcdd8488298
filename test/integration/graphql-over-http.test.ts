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

/** Audits that ask for the schema, which is not shown to strangers, to see that variables arrive. */
const askForTheSchema = audits.filter(({ name }) => /allow map \{variables\} parameter/.test(name)).map(({ id }) => id);

describe.for(['somebody logged in', 'a stranger'])('asked by %s, the server', (who) => {
  const asked = who === 'a stranger' ? audits.filter(({ id }) => !askForTheSchema.includes(id)) : audits;
  test.for(asked.map((audit) => [audit.name, audit] as const))('%s', async ([, audit]) => {
    as = who === 'a stranger' ? undefined : token;
    const result = await audit.fn();
    // What the server merely ought to do is reported as a warning; here it must. What it may do, such as take a query in
    // the URL, is a notice where it does not.
    expect(['ok', ...(audit.name.startsWith('MAY') ? ['notice'] : [])], 'reason' in result ? result.reason : '').toContain(result.status);
  });
});
