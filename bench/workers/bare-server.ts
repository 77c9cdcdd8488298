import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Pool } from 'pg';
import { newId, type Id } from '../../src/events/id.ts';
import { createCoalescer } from '../../src/responses/coalescer.ts';
import { insertResponses, type Inserted, type ResponseRow } from '../../src/responses/insert-responses.ts';
import type { SubmitResponseInput } from '../../src/responses/submission.ts';
import type { Survey } from '../survey.ts';
import { answerBench } from '../workers.ts';

/** What a response costs at least: node:http, JSON, and the product's own statement, by its own coalescer. Nothing is checked. */
function listen({ databaseUrl, survey }: { databaseUrl: string; survey: Survey }): Promise<string> {
  const pool = new Pool({ connectionString: databaseUrl, max: 2 });
  const coalescer = createCoalescer<ResponseRow, Inserted | undefined>({
    write: (rows) => insertResponses(pool, rows),
    tenantOf: (row) => row.organizationId,
    bytesOf: (row) => row.answers.length,
    isPoison: () => false,
    writers: 2,
    maxBatch: { rows: 250, bytes: 2 * 1024 * 1024 },
    maxQueued: { rows: 20_000, bytes: 64 * 1024 * 1024 },
  });
  const server = createServer((request, response) => {
    void read(request).then(async (text) => {
      const { variables } = JSON.parse(text) as { variables: { input: SubmitResponseInput } };
      const row = rowOf(variables.input, survey);
      if (!(await coalescer.add(row))) throw new Error('the response was left out');
      const answer = JSON.stringify({ data: { submitResponse: { response: { id: row.id }, errors: [] } } });
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) });
      response.end(answer);
    });
  });
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`));
  });
}

const read = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(Buffer.concat(chunks).toString()));
  });

function rowOf(input: SubmitResponseInput, survey: Survey): ResponseRow {
  const id: Id<'resp'> = newId('resp');
  return {
    id,
    eventId: newId('evt'),
    ...survey,
    formVersion: 1,
    intakeVersion: 0,
    takesPlace: false,
    respondentKey: null,
    clientId: input.clientId ?? null,
    contentHash: null,
    familyId: id,
    submittedAt: new Date(),
    answers: JSON.stringify(Object.fromEntries(input.answers.map(({ key, value }) => [key, { value }]))),
    respondent: JSON.stringify(input.respondent),
    collector: JSON.stringify(input.collector),
    metadata: '{}',
    flags: null,
  };
}

answerBench({ listen });
