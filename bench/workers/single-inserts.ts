import { Client } from 'pg';
import { newId } from '../../src/events/id.ts';
import { householdResponses } from '../../test/support/household.ts';
import type { Survey } from '../survey.ts';
import { answerBench } from '../workers.ts';

/** One response and its outbox row in one prepared statement and one commit. */
const statement = `
  with inserted as (
    insert into responses (id, form_id, form_version, client_id, content_hash, family_id, revision, submitted_at, answers, respondent, collector, metadata)
    values ($1, $2, 1, $3, null, $1, 1, now(), $4, $5, $6, '{}')
    returning id, form_id
  )
  insert into outbox (event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
  select $7, 'response.created', $8, form_id, id, 0, now() from inserted`;

/** As pgbench does it: clients that each insert one row after the other. Answers rows a second. */
async function insert(options: { databaseUrl: string; survey: Survey; clients: number; warmUpMs: number; forMs: number }): Promise<number> {
  const { databaseUrl, survey, warmUpMs, forMs } = options;
  const responses = householdResponses(survey.formId).map(({ answers, respondent, collector }) =>
    [Object.fromEntries(answers.map(({ key, value }) => [key, { value }])), respondent, collector].map((document) => JSON.stringify(document)),
  );
  const clients = Array.from({ length: options.clients }, () => new Client({ connectionString: databaseUrl }));
  await Promise.all(clients.map((client) => client.connect()));
  const from = performance.now() + warmUpMs;
  const until = from + forMs;
  let count = 0;
  let started = 0;
  await Promise.all(
    clients.map(async (client) => {
      while (performance.now() < until) {
        const documents = responses[started++ % responses.length] ?? [];
        const values = [newId('resp'), survey.formId, newId('evt'), ...documents, newId('evt'), survey.organizationId];
        await client.query({ name: 'insert-one', text: statement, values });
        if (performance.now() >= from) count += 1;
      }
    }),
  );
  const rate = (count / (performance.now() - from)) * 1_000;
  await Promise.all(clients.map((client) => client.end()));
  return rate;
}

answerBench({ insert });
