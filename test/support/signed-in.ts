import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { decodeCursor, positionOfKey } from '../../src/graphql/cursor.ts';
import { subscribeOverSse, type Told } from './subscriber.ts';

/** Somebody who is signed in, with the token that they have now. */
export interface Person {
  url: string;
  token: string;
  refreshToken: string;
}

/** Calls again and again; what is refused is noted in the words of the answer. */
export interface Calling {
  /** How often it was answered. */
  count(): number;
  failures: string[];
  end(): Promise<void>;
}

/** Posts an operation in the name of a person, and answers its data; throws where anything is refused. */
async function ask<T>({ url, token }: Person, query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const answer = await fetch(`${url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body: JSON.stringify({ query, variables }) });
  const text = await answer.text();
  const { data } = JSON.parse(text) as { data?: T };
  if (!answer.ok || !data || /"errors":\[[^\]]/.test(text)) throw new Error(`${answer.status} ${text}`);
  return data;
}

function callOften(call: () => Promise<unknown>, everyMs: number): Calling {
  const failures: string[] = [];
  let [count, isEnding] = [0, false];
  const calling = (async () => {
    while (!isEnding) {
      await call().then(() => (count += 1), (error: unknown) => void failures.push(String(error)));
      await sleep(everyMs);
    }
  })();
  return {
    count: () => count,
    failures,
    end: () => {
      isEnding = true;
      return calling;
    },
  };
}

/** Asks for the newest responses. */
export const readOften = (person: Person, formId: string): Calling =>
  callOften(() => ask(person, `{ form(id: "${formId}") { responses(first: 5) { edges { node { id } } } } }`), 20);

/** Goes on with a token that is made now, as everybody has to within the hour that one is good for. */
export async function refresh(person: Person): Promise<void> {
  const query = 'mutation ($input: RefreshSessionInput!) { refreshSession(input: $input) { token refreshToken errors { message } } }';
  const { refreshSession } = await ask<{ refreshSession: { token: string; refreshToken: string } }>(person, query, { input: { refreshToken: person.refreshToken } });
  [person.token, person.refreshToken] = [refreshSession.token, refreshSession.refreshToken];
}

/** Changes a webhook, each time with another token: so everybody has to open what somebody else has just sealed. */
export function changeOften(person: Person, webhook: { id: string; url: string }): Calling {
  const query = 'mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } errors { message } } }';
  let count = 0;
  return callOften(async () => {
    await refresh(person);
    const headers = [{ name: 'x-change', value: String((count += 1)) }];
    await ask(person, query, { input: { id: webhook.id, settings: { webhook: { url: webhook.url, headers } } } });
  }, 300);
}

export interface Watcher {
  /** What it was told, when that is so many, after which it leaves. */
  told(count: number): Promise<{ response: string; position: number }[]>;
  leave(): Promise<void>;
}

/** A subscriber that comes back with the last cursor whenever it is ended. */
export async function watch(person: Person, formId: string): Promise<Watcher> {
  const query = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { cursor response { id } } }';
  const results: Told[] = [];
  let isEnding = false;
  let lastEventId: string | undefined;
  const subscribe = () => subscribeOverSse(person.url, { query, variables: { formId }, token: person.token, lastEventId });
  let current = await subscribe();
  const items = (): Told[] => [...results, ...current.told].filter(({ result }) => result.data);
  const following = (async () => {
    while (!isEnding) {
      await sleep(10);
      if (!current.isClosed()) continue;
      results.push(...current.told);
      lastEventId = current.lastId() ?? lastEventId;
      current = await subscribe();
    }
  })();
  following.catch(() => undefined); // thrown by `told`
  const leave = async (): Promise<void> => {
    isEnding = true;
    await following.catch(() => undefined);
    current.disconnect();
  };
  return {
    told: async (count) => {
      await expect.poll(() => items().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
      isEnding = true;
      await following;
      await leave();
      return items().map(({ result }) => ({ response: result.data.responseCreated.response.id, position: positionOfKey(decodeCursor(result.data.responseCreated.cursor) ?? '') ?? NaN }));
    },
    leave,
  };
}
