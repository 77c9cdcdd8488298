import type { Pool } from 'pg';
import { isId, type Id } from '../events/id.ts';
import { createBoundedCache } from '../bounded-cache.ts';
import type { FormDefinition } from './form-definition.ts';
import { countPlaces } from './count-places.ts';
import type { FormStatus, RespondentIdentity } from './form.entity.ts';
import { closingCutoff, type Intake } from './intake.ts';

/** What taking a response needs to know of a form. Never changed: a form that changes gets another one. */
export interface PublishedForm {
  readonly id: Id<'form'>;
  readonly organizationId: Id<'org'>;
  readonly status: FormStatus;
  /** Where the form stood by the database's clock when it was read. */
  readonly standing: Standing;
  /** While the form is closing: before when a response must have been begun. */
  readonly cutoff: Date | undefined;
  readonly maxResponses: number | null;
  readonly places: Places;
  readonly oneResponsePer: RespondentIdentity | null;
  /** Whether client ids must be held against those of erased responses. */
  readonly hasErasedClientIds: boolean;
  readonly version: number;
  readonly intakeVersion: number;
  readonly definition: FormDefinition;
}

/** `early`: not open yet; `over`: its `closesAt` has passed. Of a form whose status is open or closing otherwise: that. */
export type Standing = FormStatus | 'early' | 'over';

/** Whether a form can take one response more; `uncounted`: only after `countPlaces`. Always `free` without a limit. */
export type Places = 'free' | 'full' | 'uncounted';

/**
 * Forms as they are answered, kept in memory without a time limit. A remembered form can therefore be behind: what is
 * accepted under it must compare the version in the database, and what is refused under it must be looked at again
 * after `refresh`, since no write would ever notice.
 */
export interface PublishedForms {
  /** The form as it was last seen; undefined where there is none, or it is deleted. */
  get(formId: string): Promise<PublishedForm | undefined>;
  /** The form as it is now: the same object as before where nothing changed, at the cost of one small query. */
  refresh(formId: string): Promise<PublishedForm | undefined>;
  /** What a form asked in one of its versions, which never change. Also for deleted forms. */
  version(formId: string, number: number): Promise<FormDefinition | undefined>;
  /** Counts the responses of a form whose limit is new. */
  countPlaces(formId: string): Promise<void>;
  /** Reads the form anew at its next `get`. */
  forget(formId: string): void;
}

/** By the length of the definitions as JSON; the objects in memory take a few times as much. */
const maxCachedBytes = 32 * 1024 * 1024;

export function createPublishedForms({ pool }: { pool: Pool }): PublishedForms {
  const versions = createBoundedCache<string, SizedDefinition>({ maxWeight: maxCachedBytes });
  const forms = createBoundedCache<string, PublishedForm>({ maxWeight: maxCachedBytes });
  const readingVersions = createSingleFlight<SizedDefinition | undefined>();
  const readingForms = createSingleFlight<PublishedForm | undefined>();
  const counting = createSingleFlight<void>();

  const sizedVersion = async (formId: string, number: number): Promise<SizedDefinition | undefined> => {
    const key = `${formId}/${number}`;
    const known = versions.get(key);
    if (known) return known;
    return readingVersions.run(key, async () => {
      const found = await readVersion(pool, { formId, number });
      if (found) versions.set(key, found, found.bytes);
      return found;
    });
  };

  const read = async (formId: string, isCurrent: () => boolean): Promise<PublishedForm | undefined> => {
    const head = await readHead(pool, formId);
    const sized = head && (await sizedVersion(formId, head.version));
    if (!head || !sized) {
      if (isCurrent()) forms.delete(formId);
      return undefined;
    }
    const known = forms.get(formId);
    const form = known && isSameHead(known, head) ? known : { ...head, definition: sized.definition };
    if (isCurrent()) forms.set(formId, form, sized.bytes);
    return form;
  };

  const refresh = async (formId: string): Promise<PublishedForm | undefined> =>
    isId('form', formId) ? readingForms.run(formId, (isCurrent) => read(formId, isCurrent)) : undefined;

  const forget = (formId: string): void => {
    readingForms.abandon(formId);
    forms.delete(formId);
  };

  return {
    get: async (formId) => forms.get(formId) ?? refresh(formId),
    // What another caller began to read before this call may be older than what this caller already knows of.
    refresh: (formId) => {
      readingForms.abandon(formId);
      return refresh(formId);
    },
    version: async (formId, number) => (await sizedVersion(formId, number))?.definition,
    countPlaces: async (formId) => {
      await counting.run(formId, () => countPlaces(pool, formId));
      forget(formId);
    },
    forget,
  };
}

interface SizedDefinition {
  definition: FormDefinition;
  bytes: number;
}

type Head = Omit<PublishedForm, 'definition'>;

const isSameHead = (a: Head, b: Head): boolean =>
  a.version === b.version && a.intakeVersion === b.intakeVersion && a.status === b.status && a.standing === b.standing && a.places === b.places;

type HeadRow = Omit<Head, 'cutoff'> & Pick<Intake, 'closesAt' | 'closingSince'>;

/** Where a form stands says the database, by whose clock responses are taken: processes' clocks differ. */
const selectHead = `
  select f.id, f.organization_id as "organizationId", f.status, f.version, f.intake_version as "intakeVersion",
         f.closes_at as "closesAt", f.closing_since as "closingSince", f.max_responses as "maxResponses",
         f.one_response_per as "oneResponsePer",
         exists (select 1 from erased_client_ids e where e.form_id = f.id) as "hasErasedClientIds",
         case when f.status in ('draft', 'closed') then f.status
              when f.opens_at > now() then 'early'
              when f.status = 'open' and f.closes_at <= now() then 'over'
              else f.status
         end as standing,
         case when f.max_responses is null then 'free'
              when p.taken is null then 'uncounted'
              when p.taken >= f.max_responses then 'full'
              else 'free'
         end as places
  from forms f
  left join form_places p on p.form_id = f.id
  where f.id = $1 and f.deleted_at is null`;

async function readHead(pool: Pool, formId: string): Promise<Head | undefined> {
  const { rows } = await pool.query<HeadRow>({ name: 'published-form', text: selectHead, values: [formId] });
  const [row] = rows;
  if (!row) return undefined;
  const { closesAt, closingSince, ...head } = row;
  return { ...head, cutoff: closingCutoff({ closesAt, closingSince }) };
}

async function readVersion(pool: Pool, key: { formId: string; number: number }): Promise<SizedDefinition | undefined> {
  const { rows } = await pool.query<{ definition: string }>({
    name: 'form-version',
    text: 'select definition::text as definition from form_versions where form_id = $1 and number = $2',
    values: [key.formId, key.number],
  });
  const text = rows[0]?.definition;
  return text === undefined ? undefined : { definition: JSON.parse(text) as FormDefinition, bytes: text.length };
}

/** Lets callers who want the same thing at the same time share one reading of it. */
interface SingleFlight<Value> {
  /** `isCurrent` tells the reading whether it still speaks for its key, or was abandoned. */
  run(key: string, work: (isCurrent: () => boolean) => Promise<Value>): Promise<Value>;
  /** The next caller starts a new reading; the one under way still answers those who wait for it. */
  abandon(key: string): void;
}

function createSingleFlight<Value>(): SingleFlight<Value> {
  const flights = new Map<string, { result: Promise<Value> }>();
  return {
    run(key, work) {
      const known = flights.get(key);
      if (known) return known.result;
      const isCurrent = (): boolean => flights.get(key) === flight;
      const flight = {
        result: Promise.resolve()
          .then(() => work(isCurrent))
          .finally(() => {
            if (isCurrent()) flights.delete(key);
          }),
      };
      flights.set(key, flight);
      return flight.result;
    },
    abandon: (key) => flights.delete(key),
  };
}
