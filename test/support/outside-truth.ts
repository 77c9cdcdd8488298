import type { Pool } from 'pg';
import { expect } from 'vitest';
import type { Cell } from '../../src/bin/demo/table.ts';
import type { householdInputs } from './household-inputs.ts';
import { householdForm } from './household.ts';
import type { TwilioSimulator } from './twilio/twilio.ts';

export type Input = ReturnType<typeof householdInputs>[number];

/** What the database says of a response, and of its receipt. */
export interface Stored {
  id: string;
  clientId: string;
  isFlagged: boolean;
  receipt: { status: string; errorClass: string | null; reason: string | null };
}

/** All responses of a form, each with the delivery of its receipt. */
export async function readStored(pool: Pool, about: { formId: string; smsId: string }): Promise<Stored[]> {
  const { rows } = await pool.query<{ id: string; client_id: string; is_flagged: boolean; status: string; error_class: string | null; reason: string | null }>(
    `select r.id, r.client_id, r.flags is not null as is_flagged, d.status, d.error_class, d.reason
     from responses r join deliveries d on d.response_id = r.id and d.integration_id = $2 and d.event_type = 'response.created'
     where r.form_id = $1`,
    [about.formId, about.smsId],
  );
  return rows.map((row) => ({ id: row.id, clientId: row.client_id, isFlagged: row.is_flagged, receipt: { status: row.status, errorClass: row.error_class, reason: row.reason } }));
}

/** A row for each response and no other, every answer under its question, numbers as numbers. */
export function expectSheet(rows: readonly (readonly Cell[])[], { stored, inputs }: { stored: readonly Stored[]; inputs: readonly Input[] }): void {
  const [header = [], ...body] = rows;
  const place = (title: string): number => header.indexOf(title);
  const byId = Map.groupBy(body, (row) => row[place('Response')]);
  expect(body).toHaveLength(stored.length);
  expect(new Set(byId.keys())).toEqual(new Set(stored.map(({ id }) => id)));
  const inputOf = new Map(inputs.map((input) => [input.clientId, input]));
  const { questions } = householdForm();
  for (const { id, clientId, isFlagged } of stored) {
    const [row = []] = byId.get(id) ?? [];
    const answers = new Map(inputOf.get(clientId)?.answers.map(({ key, value }) => [key, value]));
    const expected = questions.map(({ key }) => cellOf(answers.get(key)));
    expect(questions.map(({ text }) => row[place(text)] ?? null), `the row of ${id}`).toEqual(expected);
    expect((row[place('Flags')] ?? null) !== null).toBe(isFlagged);
  }
}

/** As answers stand in a cell: choices one after the other. */
function cellOf(value: unknown): unknown {
  const shown = Array.isArray(value) ? value.join(', ') : value;
  return shown === undefined || shown === '' ? null : shown;
}

interface Receipts {
  stored: readonly Stored[];
  inputs: readonly Input[];
  twilio: TwilioSimulator;
  /** Numbers of which a request failed or was under way at a death: nobody could know at once what became of it. */
  interrupted: ReadonlySet<string>;
}

/**
 * Each respondent who was not flagged has one message. Only where nobody could know what became of it: none, if the owner
 * chose at most one, or one more, if at least one.
 */
export function expectReceipts({ stored, inputs, twilio, interrupted }: Receipts, unknownOutcome: 'AT_MOST_ONCE' | 'AT_LEAST_ONCE'): void {
  const counts = twilio.countsByNumber();
  const mobileOf = new Map(inputs.map(({ clientId, respondent }) => [clientId, respondent?.mobile ?? '']));
  for (const { clientId, isFlagged, receipt } of stored) {
    const mobile = mobileOf.get(clientId) ?? '';
    const count = counts.get(mobile) ?? 0;
    const what = `${clientId}: ${count} messages, ${receipt.status}, ${receipt.reason ?? 'without a reason'}`;
    if (isFlagged) expect([receipt.status, count], what).toEqual(['canceled', 0]);
    else if (receipt.status === 'dead') expect([unknownOutcome, receipt.errorClass, count], what).toEqual(['AT_MOST_ONCE', 'OUTCOME_UNKNOWN', 0]);
    else if (unknownOutcome === 'AT_LEAST_ONCE' && interrupted.has(mobile)) expect([receipt.status, count >= 1], what).toEqual(['delivered', true]);
    else expect([receipt.status, count], what).toEqual(['delivered', 1]);
  }
}
