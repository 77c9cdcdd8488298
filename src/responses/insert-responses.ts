import type { Pool } from 'pg';
import { flagsEventIdOf, type Id } from '../events/id.ts';
import { insertStatement, type FurtherParameter } from './insert-statement.ts';

/** A response ready to be written; documents as JSON text. */
export interface ResponseRow {
  id: Id<'resp'>;
  eventId: Id<'evt'>;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  formVersion: number;
  /** Of the form, when the response was found acceptable. */
  intakeVersion: number;
  /** Whether it takes one of a form's limited places; a further revision of a family never does. */
  takesPlace: boolean;
  clientId: string | null;
  contentHash: string | null;
  /** Its own id begins a family; another one continues that family with its next revision. */
  familyId: Id<'resp'>;
  /** Where the form takes one response of each respondent; null for a further revision. */
  respondentKey: string | null;
  submittedAt: Date;
  answers: string;
  respondent: string;
  collector: string;
  metadata: string;
  /** null: none. */
  flags: string | null;
}

/** That a revision has other flags than the one before. */
export interface FlagsEvent {
  type: 'response.flagged' | 'response.cleared';
  position: number;
}

/** What only the database knows of a response it took. */
export interface Inserted {
  revision: number;
  position: number;
  integrationsVersion: number;
  flagsEvent: FlagsEvent | undefined;
}

/** `chr(30)`, which JSON text cannot contain: it is a control character. */
const separator = '\x1e';

/** What the statement answers: a line of each outbox row, and one of each revision that is not the first. */
type Answered = { id: string } & (
  | { revision: null; position: number; integrationsVersion: number; type?: 'response.created' | FlagsEvent['type'] }
  | { revision: number; position: null }
);

/** Writes rows, and answers what became of each, in their order: undefined for one that was left out. See `insertStatement`. */
export async function insertResponses(pool: Pool, rows: readonly ResponseRow[]): Promise<(Inserted | undefined)[]> {
  const { numbers, limitedForms } = numberPlaces(rows);
  const families = rows.filter((row) => row.familyId !== row.id).map((row) => row.familyId);
  const continuing = families.length > 0;
  const { name, text, further } = insertStatement({
    limited: limitedForms.length > 0,
    continuing,
    flagged: continuing || rows.some((row) => row.flags !== null),
  });
  const valueOf = (parameter: FurtherParameter): unknown => {
    switch (parameter) {
      case 'places':
        return numbers;
      case 'limitedForms':
        return limitedForms;
      case 'families':
        return families;
      case 'flags':
        return rows.map((row) => row.flags ?? '').join(separator);
      case 'flagsEventIds':
        return rows.map((row) => flagsEventIdOf(row.id));
    }
  };
  const { rows: answered } = await pool.query<Answered>({
    name,
    text,
    values: [
      rows.map((row) => row.id),
      rows.map((row) => row.eventId),
      rows.map((row) => row.formId),
      rows.map((row) => row.formVersion),
      rows.map((row) => row.intakeVersion),
      rows.map((row) => row.clientId),
      rows.map((row) => row.contentHash),
      rows.map((row) => row.familyId),
      rows.map((row) => row.submittedAt),
      rows.map((row) => row.answers).join(separator),
      rows.map((row) => row.respondent).join(separator),
      rows.map((row) => row.collector).join(separator),
      rows.map((row) => row.metadata).join(separator),
      rows.map((row) => row.respondentKey),
      ...further.map(valueOf),
    ],
  });
  const inserted = insertedOf(answered);
  return rows.map((row) => inserted.get(row.id));
}

function insertedOf(answered: readonly Answered[]): Map<string, Inserted> {
  const revisions = new Map(answered.flatMap(({ id, revision }) => (revision === null ? [] : [[id, revision]])));
  const flagsEvents = new Map<string, FlagsEvent>();
  for (const { id, type, position } of answered.filter((line) => line.revision === null)) {
    if (type === 'response.flagged' || type === 'response.cleared') flagsEvents.set(id, { type, position });
  }
  const inserted = new Map<string, Inserted>();
  for (const { id, type = 'response.created', position, integrationsVersion } of answered.filter((line) => line.revision === null)) {
    if (type === 'response.created') inserted.set(id, { revision: revisions.get(id) ?? 1, position, integrationsVersion, flagsEvent: flagsEvents.get(id) });
  }
  return inserted;
}

/** Of each row the number of the place it takes among those of its form, from 1; null where it takes none. */
function numberPlaces(rows: readonly ResponseRow[]): { numbers: (number | null)[]; limitedForms: string[] } {
  const taking = new Map<string, number>();
  const numbers = rows.map(({ formId, takesPlace }) => {
    if (!takesPlace) return null;
    const number = (taking.get(formId) ?? 0) + 1;
    taking.set(formId, number);
    return number;
  });
  return { numbers, limitedForms: [...taking.keys()] };
}
