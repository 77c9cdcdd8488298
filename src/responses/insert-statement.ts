/** What the rows of one statement need beside being written. */
export interface Needs {
  /** Whether any of them takes a place. */
  limited: boolean;
  /** Whether any of them goes on with a family. */
  continuing: boolean;
  /** Whether any of them has flags, or may take the place of a revision that had: the ones that go on. */
  flagged: boolean;
}

/** What some rows need beside the fourteen columns that all have, in the order of its parameters. */
export type FurtherParameter = 'places' | 'limitedForms' | 'families' | 'flags' | 'flagsEventIds';

export interface InsertStatement {
  name: string;
  text: string;
  further: readonly FurtherParameter[];
}

const commonParameters = 14;

/** The further parameters, and how the text names them. */
function furtherParameters({ limited, continuing, flagged }: Needs) {
  const further: FurtherParameter[] = [
    ...(limited ? (['places', 'limitedForms'] as const) : []),
    ...(continuing ? (['families'] as const) : []),
    ...(flagged ? (['flags', 'flagsEventIds'] as const) : []),
  ];
  return { further, of: (name: FurtherParameter): string => `$${commonParameters + 1 + further.indexOf(name)}` };
}

/**
 * All places are locked before the first row goes in (`whileFree` counts them), in the order of their forms: or two
 * statements could each hold what the other waits for.
 */
const lockedPlaces = (forms: string): string => `places as materialized (
    select p.form_id, f.max_responses - p.taken as free
    from form_places p
    join forms f on f.id = p.form_id
    where p.form_id = any(${forms}::text[])
    order by p.form_id
    for update of p
  ),`;

/**
 * The first revisions of the families that go on here, if they are not erased: locked, so that an erasure waits for
 * this commit or this statement leaves out what goes on with an erased family.
 */
const lockedFamilies = (families: string): string => `families as materialized (
    select id from responses where id = any(${families}::text[]) and erased_at is null order by id for key share
  ),`;
const inLockedFamily = 'and (i.family_id = i.id or i.family_id in (select id from families))';

const whileFree = `and (select count(*) from places) >= 0
      and (i.place is null or i.place <= (select places.free from places where places.form_id = i.form_id))`;

const countedPlaces = (forms: string): string => `counted as (
    update form_places p set taken = p.taken + taking.count
    from (
      select form_id, count(*)::int as count from inserted
      where form_id = any(${forms}::text[]) and family_id = id
      group by form_id
    ) taking
    where p.form_id = taking.form_id
  ),`;

/** Whether a row's flags are other ones than those of the revision before; a first one has none before it. */
const hasOtherFlags = ({ continuing }: Needs): string =>
  continuing
    ? 'i.flags::jsonb is distinct from (select r.flags from responses r where r.family_id = i.family_id order by r.revision desc limit 1)'
    : 'i.flags is not null';

const outboxRows = `insert into outbox (position, event_id, type, organization_id, form_id, response_id, integrations_version, created_at)`;

/** A row that came in is one event. */
const queued = `queued as (
    ${outboxRows}
    select inserted.position, i.event_id, 'response.created', f.organization_id, i.form_id, i.id, inserted.integrations_version, now()
    from inserted
    join input i on i.id = inserted.id
    join forms f on f.id = i.form_id
    order by i.ordinal
    returning response_id, position, integrations_version
  )`;

/** One with other flags is another event right after it. */
const queuedWithFlags = `happened as (
    select id, position, 'response.created' as type from inserted
    union all
    select id, flags_position, case when flags is null then 'response.cleared' else 'response.flagged' end from inserted where flags_position is not null
  ), queued as (
    ${outboxRows}
    select h.position, case when h.type = 'response.created' then i.event_id else i.flags_event_id end, h.type,
           f.organization_id, i.form_id, i.id, inserted.integrations_version, now()
    from happened h
    join inserted on inserted.id = h.id
    join input i on i.id = h.id
    join forms f on f.id = i.form_id
    order by h.position
    returning response_id, type, position, integrations_version
  )`;

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
 * the response, as the places of its events do, so that what was due can be told when the outbox rows are gone. The
 * revision before is in this snapshot, too: had another one come between them, the row would have been left out.
 *
 * What places, families and flags need would cost a single row a tenth of the statement's time also where there are
 * none, so that the statement without them is another one.
 *
 * Documents come as one text for each column, with a separator between them: in an array each would be quoted here and
 * unquoted there, which took a third of the statement's time. Nor are the results joined: the planner expects one row
 * and would compare each with every other. A revision is answered only where it is not the first.
 */
function textFor(needs: Needs, of: (name: FurtherParameter) => string): string {
  const { limited, continuing, flagged } = needs;
  return `
  with input as (
    select * from unnest(
      $1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
      string_to_array($10, chr(30)), string_to_array($11, chr(30)), string_to_array($12, chr(30)), string_to_array($13, chr(30)), $14::text[]
      ${limited ? `, ${of('places')}::int[]` : ''} ${flagged ? `, string_to_array(${of('flags')}, chr(30), ''), ${of('flagsEventIds')}::text[]` : ''}
    ) with ordinality as input (
      id, event_id, form_id, form_version, intake_version, client_id, content_hash, family_id, submitted_at,
      answers, respondent, collector, metadata, respondent_key, ${limited ? 'place, ' : ''}${flagged ? 'flags, flags_event_id, ' : ''}ordinal
    )
  ), ${continuing ? lockedFamilies(of('families')) : ''} ${limited ? lockedPlaces(of('limitedForms')) : ''} inserted as (
    insert into responses (
      id, form_id, form_version, client_id, content_hash, family_id, revision, submitted_at,
      answers, respondent, collector, metadata, respondent_key, position, integrations_version${flagged ? ', flags, flags_position' : ''}
    )
    select i.id, i.form_id, i.form_version, i.client_id, i.content_hash, i.family_id,
           case when i.family_id = i.id then 1
                else 1 + (select coalesce(max(r.revision), 0) from responses r where r.family_id = i.family_id) end,
           i.submitted_at, i.answers::jsonb, i.respondent::jsonb, i.collector::jsonb, i.metadata::jsonb, i.respondent_key,
           nextval('outbox_position_seq'), o.integrations_version
           ${flagged ? `, i.flags::jsonb, case when ${hasOtherFlags(needs)} then nextval('outbox_position_seq') end` : ''}
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
    returning id, revision, position, integrations_version${limited ? ', form_id, family_id' : ''}${flagged ? ', flags, flags_position' : ''}
  ), ${limited ? countedPlaces(of('limitedForms')) : ''} ${flagged ? queuedWithFlags : queued}
  select response_id as id, position::float8 as position, integrations_version as "integrationsVersion", null::int as revision${flagged ? ', type' : ''} from queued
  union all
  select id, null, null, revision${flagged ? ', null' : ''} from inserted where revision > 1`;
}

function make(needs: Needs): InsertStatement {
  const { further, of } = furtherParameters(needs);
  return { name: nameOf(needs), text: textFor(needs, of), further };
}

const nameOf = (needs: Needs): string => ['insert', ...(['limited', 'continuing', 'flagged'] as const).filter((need) => needs[need]), 'responses'].join('-');

const either = [false, true];
const all = either.flatMap((limited) => either.flatMap((continuing) => either.map((flagged) => make({ limited, continuing, flagged }))));
const byName = new Map(all.map((statement) => [statement.name, statement]));

/** The statement that does what is needed and no more. */
export function insertStatement(needs: Needs): InsertStatement {
  const statement = byName.get(nameOf(needs));
  if (!statement) throw new Error(`there is no statement ${nameOf(needs)}`);
  return statement;
}
