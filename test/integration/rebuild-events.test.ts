import fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Json } from '../../src/events/canonical-json.ts';
import type { Flag } from '../../src/events/flag.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { renderRevisionEvent, type RevisionEventType } from '../../src/events/revision-event.ts';
import { createPublishedForms, type PublishedForms } from '../../src/forms/published-forms.ts';
import { compileForm } from '../../src/responses/compile-form.ts';
import { readEnvelope } from '../../src/responses/envelope.ts';
import { rebuildEvents, type EventEntry } from '../../src/responses/rebuild-events.ts';
import { responseEventData } from '../../src/responses/render.ts';
import type { SubmitResponseInput } from '../../src/responses/submission.ts';
import { validateAnswers } from '../../src/responses/validate.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { householdDefinition, householdResponses } from '../support/household.ts';
import { definitionOf, question } from '../support/question.ts';
import { insertForm, insertResponse, insertTenant, type TenantRows } from '../support/rows.ts';

let database: TestDatabase;
let pool: Pool;
let forms: PublishedForms;
let tenant: TenantRows;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url);
  // `end` does not wait for the sockets: one on its way out may still hear that the database is dropped
  forms = createPublishedForms({ pool });
  tenant = await insertTenant(pool);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

/** What the write path does with a submission, up to the bytes; undefined where it is refused. */
async function submit(formId: Id<'form'>, input: SubmitResponseInput, options: { type?: RevisionEventType; flags?: Flag[] | null } = {}): Promise<{ entry: EventEntry; body: Buffer } | undefined> {
  const { type = 'response.created', flags = null } = options;
  const definition = await forms.version(formId, 1);
  if (!definition) throw new Error('no such version');
  const checked = validateAnswers(compileForm(definition), input.answers);
  if ('faults' in checked || readEnvelope(input).faults.length > 0) return undefined;
  const id = newId('resp');
  const row = { id, formId, formVersion: 1, familyId: id, revision: 1, submittedAt: new Date(), answers: checked.answers, flags, ...readEnvelope(input).envelope };
  await insertResponse(pool, row);
  const entry: EventEntry = {
    eventId: newId('evt'), type, organizationId: tenant.organizationId, formId, responseId: id, position: 1, integrationsVersion: 0,
  };
  return { entry, body: renderRevisionEvent(type, responseEventData({ row, definition })) };
}

const awkwardNumbers = [1e21, -0, 1e-7, 123456789012345680000, 5e-324, 1.7976931348623157e308, 2 ** 53, 0.1 + 0.2, -1e-300];
/** Free JSON takes no numbers that PostgreSQL would write out in hundreds of digits; answers do. */
const isKept = (value: number): boolean => value === 0 || (Math.abs(value) < 1e21 && Math.abs(value) > 1e-21);
const awkwardKeys = ['__proto__', 'constructor', 'b', 'a', '10', '9', 'ä', '', '😀', 'toJSON'];
const string = fc.string({ unit: 'binary' }).map((text) => text.toWellFormed().replaceAll('\u0000', ' '));
const hostileJson = fc.letrec<{ json: Json }>((tie) => ({
  json: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom<Json>(...awkwardNumbers.filter(isKept), null, true, ''),
    string,
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter(isKept),
    fc.maxSafeInteger(),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...awkwardKeys), string), tie('json'), { maxKeys: 5, noNullPrototype: false }),
  ),
})).json;
const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: fc.sample(fc.constantFrom(null, undefined), 1)[0] });

test('an event rendered from the submission and one rendered from the database have the same bytes', async () => {
  const text = question('TEXT', { key: 'text' });
  const number = question('DECIMAL', { key: 'number' });
  const several = question('MULTIPLE_CHOICE', { key: 'several', choices: ['c', 'a', '10', '9'] });
  const place = question('GEO_POINT', { key: 'place' });
  const degrees = (most: number) => fc.oneof(fc.constantFrom(0, -0, 1e-7, 5e-324, most, -most), fc.double({ min: -most, max: most, noNaN: true }));
  const formId = await insertForm(pool, tenant, definitionOf(text, number, several, place));
  const submission = fc.record({
    formId: fc.constant(formId),
    clientId: fc.option(fc.uuid()),
    answers: fc.shuffledSubarray<'text' | 'number' | 'several' | 'place'>(['text', 'number', 'several', 'place']).chain((keys) =>
      fc.tuple(
        ...keys.map((key) =>
          fc.record({
            key: fc.constant(key),
            value: {
              text: string as fc.Arbitrary<Json>,
              number: fc.oneof(fc.constantFrom(...awkwardNumbers), fc.double({ noNaN: true, noDefaultInfinity: true })),
              several: fc.shuffledSubarray(['c', 'a', '10', '9']),
              place: fc.record({ longitude: degrees(180), altitude: degrees(1_000), latitude: degrees(90), accuracy: fc.constant(1e-7) }, { requiredKeys: ['longitude', 'latitude'] }),
            }[key],
            metadata: optional(hostileJson),
          }),
        ),
      ),
    ),
    respondent: optional(fc.record({ mobile: optional(fc.constant('+14155550100')), email: optional(fc.constant('ä@b.de')), name: optional(string.map((text) => text.slice(0, 400).toWellFormed())) })),
    collector: optional(fc.record({ location: optional(fc.constant('18.7,73.6')), submittedAt: optional(fc.constant('2026-10-01T06:30:00.1239+05:30')) })),
    metadata: optional(hostileJson),
  });
  const flag = fc.record({ rule: fc.constantFrom('a', 'b'), message: string, keys: fc.uniqueArray(fc.constantFrom('number', 'text')), integrationId: fc.constant(newId('intg')) });
  const optionalFlags = fc.option(fc.array(flag, { minLength: 1, maxLength: 3 }));
  const type = fc.constantFrom<RevisionEventType>('response.created', 'response.flagged', 'response.cleared');
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(submission, type, optionalFlags, async (input, type, flags) => {
      const submitted = await submit(formId, input, { type, flags });
      if (!submitted) return;
      accepted += 1;
      const [event] = await rebuildEvents({ pool, forms }, [submitted.entry]);
      expect(Buffer.from(event?.body ?? []).toString()).toBe(submitted.body.toString());
    }),
    { numRuns: 300 },
  );
  expect(accepted).toBeGreaterThan(200);
});

test('events come back in the order asked for, and those whose response is gone are left out', async () => {
  const formId = await insertForm(pool, tenant, householdDefinition());
  const submitted = await Promise.all(householdResponses(formId).slice(0, 20).map((input) => submit(formId, input)));
  const known = submitted.flatMap((one) => one ?? []).toReversed();
  expect(known).toHaveLength(20);
  const gone: EventEntry = { ...known[0]!.entry, eventId: newId('evt'), responseId: newId('resp') };

  const events = await rebuildEvents({ pool, forms }, [gone, ...known.map((one) => one.entry)]);

  expect(events.map((event) => event.id)).toEqual(known.map((one) => one.entry.eventId));
  for (const [index, event] of events.entries()) expect(Buffer.from(event.body).equals(known[index]!.body)).toBe(true);
  expect(events[0]).toMatchObject({ type: 'response.created', position: 1, integrationsVersion: 0, organizationId: tenant.organizationId });
});
