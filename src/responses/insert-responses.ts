import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

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
}

/** What only the database knows of a response it took. */
export interface Inserted {
  revision: number;
  position: number;
  integrationsVersion: number;
}

/**
 * All places are locked before the first row goes in (`whileFree` counts them), in the order of their forms: or two
 * statements could each hold what the other waits for.
 */
const lockedPlaces = `places as materialized (
    select p.form_id, f.max_responses - p.taken as free
    from form_places p
    join forms f on f.id = p.form_id
    where p.form_id = any($16::text[])
    order by p.form_id
    for update of p
  ),`;

/**
 * The first revisions of the families that go on here, if they are not erased: locked, so that an erasure waits for
 * this commit or this statement leaves out what goes on with an erased family.
 */
const lockedFamilies = (parameter: string): string => `families as materialized (
    select id from responses where id = any(${parameter}::text[]) and erased_at is null order by id for key share
  ),`;
const inLockedFamily = 'and (i.family_id = i.id or i.family_id in (select id from families))';

const whileFree = `and (select count(*) from places) >= 0
      and (i.place is null or i.place <= (select places.free from places where places.form_id = i.form_id))`;

const countedPlaces = `counted as (
    update form_places p set taken = p.taken + taking.count
    from (
      select form_id, count(*)::int as count from inserted
      where form_id = any($16::text[]) and family_id = id
      group by form_id
    ) taking
    where p.form_id = taking.form_id
  ),`;

/**
 * Inserts responses and their outbox rows in one statement. A row is left out, without an error, where
 * - its id, client id or revision is already there (a repeat, or a race for the family's next revision), or its form has
 *   the one response that it takes of its respondent, or
 * - the form has another version than the answers were checked against, or has changed what it takes since, or
 * - the form takes no responses now: from its `opensAt` on and until right before its `closesAt`, by the clock of the
 *   database, which is one for all processes, at the moment the statement begins, or
 * - the form takes no more than a number of responses, and this one comes after. Its row of places is locked until the
 *   commit, so that the next statement, of whatever process, sees how many are left. A row that is left out as a repeat
 *   has its number all the same: then one after it is left out while a place is free, and is to be sent again, or
 * - it goes on with a family that is erased.
 * The integrations version is read in the same snapshot: it says exactly which integrations were enabled. It stays with
 * the response, as the event's place does, so that what was due can be told when the outbox row is gone.
 *
 * `limited`: whether any of the rows takes a place; `continuing`: whether any goes on with a family. What these need
 * would cost a single row a tenth of the statement's time also where there are none, so that the statement without them
 * is another one.
 *
 * Documents come as one text for each column, with a separator between them: in an array each would be quoted here and
 * unquoted there, which took a third of the statement's time. Nor are the results joined: the planner expects one row
 * and would compare each with every other. A revision is answered only where it is not the first.
 */
const statementFor = ({ limited, continuing }: Needs): string => `
  with input as (
    select * from unnest(
      $1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
      string_to_array($10, chr(30)), string_to_array($11, chr(30)), string_to_array($12, chr(30)), string_to_array($13, chr(30)), $14::text[]
      ${limited ? ', $15::int[]' : ''}
    ) with ordinality as input (
      id, event_id, form_id, form_version, intake_version, client_id, content_hash, family_id, submitted_at,
      answers, respondent, collector, metadata, respondent_key, ${limited ? 'place, ' : ''}ordinal
    )
  ), ${continuing ? lockedFamilies(limited ? '$17' : '$15') : ''} ${limited ? lockedPlaces : ''} inserted as (
    insert into responses (
      id, form_id, form_version, client_id, content_hash, family_id, revision, submitted_at,
      answers, respondent, collector, metadata, respondent_key, position, integrations_version
    )
    select i.id, i.form_id, i.form_version, i.client_id, i.content_hash, i.family_id,
           case when i.family_id = i.id then 1
                else 1 + (select coalesce(max(r.revision), 0) from responses r where r.family_id = i.family_id) end,
           i.submitted_at, i.answers::jsonb, i.respondent::jsonb, i.collector::jsonb, i.metadata::jsonb, i.respondent_key,
           nextval('outbox_position_seq'), o.integrations_version
    from input i
    join forms f
      on f.id = i.form_id and f.version = i.form_version and f.intake_version = i.intake_version and f.deleted_at is null
     and f.status in ('open', 'closing')
     and (f.opens_at is null or f.opens_at <= now())
     and (f.closes_at is null or f.closes_at > now() or f.status = 'closing')
    join organizations o on o.id = f.organization_id
    where true ${limited ? whileFree : ''} ${continuing ? inLockedFamily : ''}
    order by i.ordinal
    on conflict do nothing
    returning id, revision, position, integrations_version${limited ? ', form_id, family_id' : ''}
  ), ${limited ? countedPlaces : ''} queued as (
    insert into outbox (position, event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
    select inserted.position, i.event_id, 'response.created', f.organization_id, i.form_id, i.id, inserted.integrations_version, now()
    from inserted
    join input i on i.id = inserted.id
    join forms f on f.id = i.form_id
    order by i.ordinal
    returning response_id, position, integrations_version
  )
  select response_id as id, position::float8 as position, integrations_version as "integrationsVersion", null::int as revision from queued
  union all
  select id, null, null, revision from inserted where revision > 1`;

interface Needs {
  limited: boolean;
  continuing: boolean;
}

const plain = { name: 'insert-responses', text: statementFor({ limited: false, continuing: false }) };
const limitedOnly = { name: 'insert-limited-responses', text: statementFor({ limited: true, continuing: false }) };
const continuingOnly = { name: 'insert-continuing-responses', text: statementFor({ limited: false, continuing: true }) };
const limitedAndContinuing = { name: 'insert-limited-continuing-responses', text: statementFor({ limited: true, continuing: true }) };

function statementThat({ limited, continuing }: Needs): { name: string; text: string } {
  if (limited) return continuing ? limitedAndContinuing : limitedOnly;
  return continuing ? continuingOnly : plain;
}

/** `chr(30)`, which JSON text cannot contain: it is a control character. */
const separator = '\x1e';

/** What the statement answers: a line of each outbox row, and one of each revision that is not the first. */
type Answered = { id: string } & ({ revision: null; position: number; integrationsVersion: number } | { revision: number; position: null });

/** Answers what became of each row, in their order: undefined for one that was left out. */
export async function insertResponses(pool: Pool, rows: readonly ResponseRow[]): Promise<(Inserted | undefined)[]> {
  const { numbers, limitedForms } = numberPlaces(rows);
  const limited = limitedForms.length > 0;
  const families = rows.filter((row) => row.familyId !== row.id).map((row) => row.familyId);
  const continuing = families.length > 0;
  const { rows: answered } = await pool.query<Answered>({
    ...statementThat({ limited, continuing }),
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
      ...(limited ? [numbers, limitedForms] : []),
      ...(continuing ? [families] : []),
    ],
  });
  const revisions = new Map(answered.flatMap(({ id, revision }) => (revision === null ? [] : [[id, revision]])));
  const inserted = new Map<string, Inserted>();
  for (const line of answered) {
    if (line.revision !== null) continue;
    const { id, position, integrationsVersion } = line;
    inserted.set(id, { revision: revisions.get(id) ?? 1, position, integrationsVersion });
  }
  return rows.map((row) => inserted.get(row.id));
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
