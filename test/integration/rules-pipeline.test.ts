import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { householdResponses, householdRules } from '../support/household.ts';
import { startTestNats } from '../support/nats.ts';
import { amendInPipeline, eraseInPipeline, seedForm, seedRules, seedWebhook, startPipeline, waitForTally } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

interface Received {
  type: string;
  data: { response: { id: string; familyId: string; clientId: string | null; revision: number; flags: { rule: string }[] } };
}

test('the household survey: exactly what its data says is flagged, is told, mended, and cleared', async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const form = await seedForm(database.url);
  await seedRules(database.url, form);
  await seedWebhook(database.url, { ...form, url: receiver.url, ordered: true, events: ['response.flagged', 'response.cleared', 'response.deleted'] });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url });
  await expect.poll(async () => (await pipeline.readiness()).ready).toBe(true);
  const received = (): Received[] => receiver.requests.map(({ body }) => JSON.parse(body.toString()) as Received);

  const { rules, broken } = householdRules();
  const results = await pipeline.submitter.submitMany(householdResponses(form.formId));
  const responses = results.map((result) => ('faults' in result ? expect.fail(JSON.stringify(result.faults)) : result.response));
  const namesOf = (flags: readonly { rule: string }[] | null) => (flags ?? []).map(({ rule }) => rule);
  expect(responses.map(({ flags }) => namesOf(flags))).toEqual(responses.map(({ clientId }) => broken.get(clientId ?? '')));
  const flagged = responses.filter(({ flags }) => flags);
  const count = (name: string) => flagged.filter(({ flags }) => namesOf(flags).includes(name)).length;
  expect(rules.map(({ name }) => count(name))).toEqual([45, 34]);

  await waitForTally(pipeline.pool, { outbox: 0, delivered: flagged.length });
  expect(received().map(({ data: { response } }) => [response.id, namesOf(response.flags)])).toEqual(flagged.map(({ id, flags }) => [id, namesOf(flags)]));
  expect(new Set(received().map(({ type }) => type))).toEqual(new Set(['response.flagged']));

  const sound = { monthly_income: 1e9, monthly_savings: 0, monthly_expenditure: 1e8 };
  const answers = Object.entries(sound).map(([key, value]) => ({ key, value }));
  const mended = await Promise.all(flagged.map(({ id }) => amendInPipeline(pipeline, { ...form, responseId: id, expectedRevision: 1, answers })));
  expect(mended.map(({ flags }) => flags)).toEqual(mended.map(() => null));
  await eraseInPipeline(pipeline, { ...form, responseId: flagged[0]!.id });
  // where the erasure was quicker, its clearing is not sent any more
  await expect.poll(async () => (await pipeline.pool.query('select 1 from outbox')).rowCount).toBe(0);
  await expect.poll(() => received().at(-1)?.type).toBe('response.deleted');
  const cleared = received().filter(({ type }) => type === 'response.cleared');
  const expected = mended.filter((_, index) => index > 0).map(({ id }) => id);
  expect(cleared.map(({ data }) => data.response.id).filter((id) => id !== mended[0]!.id).toSorted()).toEqual(expected.toSorted());
  for (const { data } of cleared) expect(data.response).toMatchObject({ revision: 2, flags: [] });
});
