import { Client } from 'pg';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let forms: FormsApi;
let formId: string;
let beside: Client;
beforeAll(async () => {
  forms = await startFormsApi({ limits: { operationMs: 1_000 } });
  formId = (await forms.createForm()).id;
  beside = new Client({ connectionString: forms.api.databaseUrl });
  await beside.connect();
});
afterAll(async () => {
  await beside.end();
  await forms[Symbol.asyncDispose]();
});

/** Statements that wait for `locked`, as PostgreSQL sees them. */
const waiting = async (): Promise<number> => {
  const { rows } = await beside.query(`select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
  return rows[0].count;
};
const untilWaiting = (count: number) => expect.poll(waiting, { timeout: 10_000, interval: 10 }).toBe(count);
/** Nobody can use a table while this runs. */
async function whileLocked<T>(table: string, run: () => Promise<T>): Promise<T> {
  await beside.query(`begin; lock table ${table} in access exclusive mode`);
  try {
    return await run();
  } finally {
    await beside.query('rollback');
  }
}
const responsesQuery = () => `{ form(id: "${formId}") { responses { edges { node { id } } } } }`;
const send = (query: string, options: { accept?: string; signal?: AbortSignal } = {}) =>
  request(`${forms.api.url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${forms.token}`, accept: options.accept ?? 'application/json' },
    body: JSON.stringify({ query }),
    ...(options.signal && { signal: options.signal }),
  });
/** More calls than there are connections: one that was not given back usable would show. */
const expectAllUsable = async (query: string) => {
  const answers = await Promise.all(Array.from({ length: 24 }, async () => (await send(query)).body.text()));
  expect(answers.filter((text) => text.includes('"errors"'))).toEqual([]);
};

describe('an operation that is not done in time', () => {
  // responses are read with prepared statements, forms through the entities
  test.each([
    ['a prepared statement', 'responses', responsesQuery],
    ['the entities', 'forms', () => `{ form(id: "${formId}") { title } }`],
  ])('is answered, and what it does in PostgreSQL through %s is cancelled', async (_name, table, query) => {
    await whileLocked(table, async () => {
      const answer = send(query());
      await untilWaiting(1);
      const { statusCode, body } = await answer;
      expect([statusCode, await body.json()]).toMatchObject([503, { errors: [{ message: expect.stringContaining('after 1 seconds'), extensions: { code: 'TIMED_OUT' } }] }]);
      await untilWaiting(0);
    });
    await expectAllUsable(query());
  });

  test('is answered over server-sent events too', async () => {
    await whileLocked('responses', async () => {
      expect(await (await send(responsesQuery(), { accept: 'text/event-stream' })).body.text()).toContain('TIMED_OUT');
      await untilWaiting(0);
    });
  });

  test('says of a mutation that its outcome is not known, begins no further one, and undoes what it can', async () => {
    const query = `mutation { a: updateForm(input: { id: "${formId}", title: "Late" }) { form { title } errors { code } } b: createForm(input: { title: "Second", questions: [] }) { form { id } errors { code } } }`;
    await whileLocked('forms', async () => {
      const { statusCode, body } = await send(query);
      expect([statusCode, await body.json()]).toMatchObject([503, { errors: [{ extensions: { code: 'OUTCOME_UNKNOWN' } }] }]);
      await untilWaiting(0);
    });
    await expectAllUsable(`{ form(id: "${formId}") { title } }`);
    const { rows } = await beside.query('select title from forms order by title');
    expect(rows).toEqual([{ title: 'Survey' }]);
  });

  test('does not take back a response that waits to be written', async () => {
    const submit = `mutation { submitResponse(input: { formId: "${formId}", clientId: "late", answers: [{ key: "q", value: "a" }] }) { response { id } errors { code } } }`;
    await whileLocked('outbox', async () => {
      expect(await (await send(submit)).body.text()).toContain('OUTCOME_UNKNOWN');
      expect(await waiting()).toBe(1);
    });
    const again = await (await send(submit)).body.json();
    expect(again).toMatchObject({ data: { submitResponse: { response: { id: expect.any(String) }, errors: [] } } });
    expect((await beside.query(`select id from responses where client_id = 'late'`)).rows).toHaveLength(1);
  });
});

describe('a client that goes away', () => {
  test.each(['application/json', 'text/event-stream'])('ends its query in PostgreSQL: %s', async (accept) => {
    await whileLocked('responses', async () => {
      const leaving = new AbortController();
      const answer = send(responsesQuery(), { accept, signal: leaving.signal }).catch(() => 'left');
      await untilWaiting(1);
      leaving.abort();
      await answer;
      await untilWaiting(0);
    });
    await expectAllUsable(responsesQuery());
  });

  test('does not end its mutation', async () => {
    await whileLocked('forms', async () => {
      const leaving = new AbortController();
      const mutation = send(`mutation { updateForm(input: { id: "${formId}", title: "Sent" }) { form { title } } }`, { signal: leaving.signal }).catch(() => 'left');
      await untilWaiting(1);
      const query = send(`{ form(id: "${formId}") { title } }`, { signal: leaving.signal }).catch(() => 'left');
      await untilWaiting(2);
      leaving.abort();
      await Promise.all([mutation, query]);
      await untilWaiting(1);
    });
    await expect.poll(async () => (await beside.query('select title from forms')).rows, { timeout: 10_000 }).toEqual([{ title: 'Sent' }]);
  });
});
