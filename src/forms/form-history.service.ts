import type { Pool } from 'pg';
import { requirePermission, viewerAllowed } from '../accounts/permissions.ts';
import { reachOf } from '../accounts/reach.ts';
import { parseVersionId, type Id } from '../events/id.ts';
import type { Caller } from '../graphql/context.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import { UserError } from '../user-error.ts';
import { changesBetween, type FormChange } from './form-changes.ts';
import type { FormDefinition } from './form-definition.ts';
import type { PublishedForms } from './published-forms.ts';
import { pageOfVersions, readVersionsByKey, type VersionOfForm } from './version-rows.ts';

export interface FormHistoryDeps {
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  published: Pick<PublishedForms, 'version'>;
}

/** A change with the definition that shows what it is about. */
export type ChangeOfForm = FormChange & { formId: Id<'form'>; definition: FormDefinition };

export type FormHistoryService = ReturnType<typeof createFormHistoryService>;

/** What a form asked before, and what was changed when. Only those who reach it as members read this: what was taken back was taken back from strangers. */
export function createFormHistoryService({ reads, published }: FormHistoryDeps) {
  const definition = async (formId: Id<'form'>, { number, argument }: { number: number; argument: string }): Promise<FormDefinition> => {
    const found = number >= 1 && number <= maxNumber ? await published.version(formId, number) : undefined;
    if (!found) throw new UserError('NOT_FOUND', `This form has no version ${number}; "version" says which is the newest.`, [argument]);
    return found;
  };

  return {
    /** A page of versions by their numbers. */
    list: async (caller: Caller, page: { formId: Id<'form'>; range: KeysetRange }): Promise<VersionOfForm[]> => {
      return pageOfVersions(reads, { ...page, reach: reachOf(requirePermission(caller, 'forms:read')) });
    },

    /** The versions of these ids whose forms the viewer reaches. */
    readMany: async (caller: Caller, ids: readonly Id<'ver'>[]): Promise<Map<Id<'ver'>, VersionOfForm>> => {
      const viewer = viewerAllowed(caller, 'forms:read');
      if (!viewer) return new Map();
      const keys = ids.flatMap((id) => parseVersionId(id) ?? []);
      const versions = await readVersionsByKey(reads, { reach: reachOf(viewer), keys });
      return new Map(versions.map((version) => [version.id, version]));
    },

    /**
     * What makes the version `from` into the version `to`, either of which may be the older. Whether the caller may know
     * is for the edge that asks. Throws UserError NOT_FOUND for a version that is not there.
     */
    changes: async (formId: Id<'form'>, { from, to }: { from: number; to: number }): Promise<ChangeOfForm[]> => {
      const before = await definition(formId, { number: from, argument: 'from' });
      const after = await definition(formId, { number: to, argument: 'to' });
      return changesBetween(before, after).map((change) => ({ ...change, formId, definition: change.kind.endsWith('_REMOVED') ? before : after }));
    },
  };
}

/** PostgreSQL's largest integer: larger numbers must not get as far as a statement. */
const maxNumber = 0x7f_ff_ff_ff;
