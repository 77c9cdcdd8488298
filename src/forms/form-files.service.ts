import type { Json } from '../events/canonical-json.ts';
import { isId } from '../events/id.ts';
import { requirePermission } from '../accounts/permissions.ts';
import { formsWhere, reachOf } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import { UserError } from '../user-error.ts';
import { withTitle } from './definition-edit.ts';
import { readDraft } from './file-draft.ts';
import type { FormFrame } from './form-input.ts';
import { formLimits } from './form-limits.ts';
import { editForm, writeNextVersion } from './form-versions.ts';
import { Form } from './form.entity.ts';
import { applyFrame, insertForm, type FormsDeps } from './forms.service.ts';
import { createInputFaults } from './input-faults.ts';
import { openIntake } from './intake.ts';
import { copied, redefined } from './redefine.ts';
import { writeFormFile } from './write-form-file.ts';

export interface ImportFormInput {
  /** Absent: a new form. */
  formId?: string | null | undefined;
  definition?: Json | undefined;
}

export interface DuplicateFormInput {
  id: string;
  /** Absent: the same title. */
  title?: string | null | undefined;
}

export type FormFilesService = ReturnType<typeof createFormFilesService>;

/** Forms made from forms: out of files, and as copies of others. */
export function createFormFilesService(deps: FormsDeps) {
  const { published, now } = deps;

  const definitionOf = async ({ id, version }: Form) => {
    const definition = await published.version(id, version);
    if (!definition) throw new Error(`${id} has no version ${version}`);
    return definition;
  };

  return {
    /** See `writeFormFile`. */
    export: async (form: Form): Promise<Json> => writeFormFile(form as FormFrame, await definitionOf(form)),

    /**
     * Makes a new form from a file, or an existing one into what the file says: one version more, or none where it says
     * the same already. Throws UserError with every fault at once, NOT_FOUND where the viewer has no such form.
     */
    async import(caller: Caller, { formId, definition: file }: ImportFormInput): Promise<Form> {
      const viewer = requirePermission(caller, 'forms:write');
      const time = now();
      const faults = createInputFaults(['definition']);
      const { frame, draft } = readDraft(file ?? null, faults);
      if (formId === null || formId === undefined) {
        const definition = redefined({ title: draft.title, questions: [] }, draft, { faults, now: time });
        faults.throwIfAny();
        return insertForm(caller, { viewer, frame, intake: openIntake, definition, time });
      }
      const updated = await editForm(caller, { formId, path: ['formId'] }, async (locked) => {
        const after = redefined(locked.definition, draft, { faults, now: time });
        faults.throwIfAny();
        applyFrame(locked.form, frame, time);
        await writeNextVersion(locked, after, time);
        return locked.form;
      });
      published.forget(updated.id);
      return updated;
    },

    /** A draft with the same questions and settings, but no responses or integrations. Throws UserError NOT_FOUND. */
    async duplicate(caller: Caller, input: DuplicateFormInput): Promise<Form> {
      const viewer = requirePermission(caller, 'forms:write');
      const form = isId('form', input.id) ? await caller.em.findOne(Form, { ...formsWhere(reachOf(viewer)), id: input.id, deletedAt: null }) : null;
      if (!form) throw new UserError('NOT_FOUND', 'Your organisation has no form with this id.', ['id']);
      const faults = createInputFaults();
      const title = faults.text(['title'], input.title ?? form.title, formLimits.titleLength);
      faults.throwIfAny();
      const { description, email, metadata, opensAt, closesAt, maxResponses, oneResponsePer } = form;
      const intake = { status: 'draft' as const, closingSince: null, opensAt, closesAt, maxResponses, oneResponsePer };
      const time = now();
      const definition = withTitle(copied(await definitionOf(form), time), title);
      return insertForm(caller, { viewer, frame: { title, description: description ?? null, email: email ?? null, metadata }, intake, definition, time });
    },
  };
}
