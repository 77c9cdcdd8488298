import { newId, type Id } from '../events/id.ts';
import type { Membership } from '../accounts/membership.entity.ts';
import { requirePermission, requireWithin } from '../accounts/permissions.ts';
import { formsWhere, reachOf, type OrganizationReach } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { enqueueConnectOfForm, enqueueDisconnectOfForm } from '../jobs/enqueue-jobs.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import { unrestricted } from '../graphql/unrestricted.ts';
import { canonical } from '../events/canonical-json.ts';
import { checkDefinition } from './definition-checks.ts';
import { newDefinition, withFormTranslations, withTitle } from './definition-edit.ts';
import type { FormDefinition } from './form-definition.ts';
import { changedFrame, readFormTranslations, readFrame, type CreateFormInput, type FormFrame, type UpdateFormInput } from './form-input.ts';
import { changedIntake, isSameIntake, openIntake, type Intake } from './intake.ts';
import { FormPlaces } from './form-places.entity.ts';
import { editForm, writeFirstVersion, writeNextVersion, type LockedForm } from './form-versions.ts';
import { Form } from './form.entity.ts';
import { createInputFaults } from './input-faults.ts';
import type { PublishedForms } from './published-forms.ts';
import { readNewQuestions } from './new-questions.ts';

export interface FormsDeps {
  published: PublishedForms;
  now: () => Date;
}

export type FormsService = ReturnType<typeof createFormsService>;

/** Forms as wholes. A form is read by anyone who has its id, for they may fill it in; it is changed by its owners. */
export function createFormsService(deps: FormsDeps) {
  const { published, now } = deps;

  return {
    /** Throws UserError with every fault at once. */
    async create(caller: Caller, input: CreateFormInput): Promise<Form> {
      const viewer = requirePermission(caller, 'forms:write');
      const time = now();
      const faults = createInputFaults();
      const frame = readFrame(input, faults);
      const intake = changedIntake(openIntake, input, { faults, now: time });
      const translations = readFormTranslations(input, { now: {}, faults });
      const { drafts, ...places } = readNewQuestions(input, faults);
      const definition = newDefinition(frame.title, drafts, { ...places, translations, faults, path: ['questions'], now: time });
      faults.throwIfAny();
      return insertForm(caller, { viewer, frame, intake, definition, time });
    },

    /** Throws UserError NOT_FOUND where the viewer has no such form. A new title is a new version. */
    async update(caller: Caller, input: UpdateFormInput): Promise<Form> {
      const updated = await editForm(caller, { formId: input.id, path: ['id'] }, async (locked) => {
        const { em, form, definition } = locked;
        const { email } = form;
        const faults = createInputFaults();
        const time = now();
        const frame = readFrame(changedFrame(form as FormFrame, input), faults);
        const intake = changedIntake(form, input, { faults, now: time });
        const translations = readFormTranslations(input, { now: definition, faults });
        const after = withFormTranslations(withTitle(definition, frame.title), translations);
        if (after !== definition) checkDefinition(after, { faults, path: [] });
        faults.throwIfAny();
        applyFrame(form, frame, time);
        await applyIntake(locked, intake, time);
        await writeNextVersion(locked, after, time);
        if (form.email !== email) await enqueueConnectOfForm(em, form.id);
        return form;
      });
      published.forget(updated.id);
      return updated;
    },

    /** Marks a form as deleted: it takes no responses and is not found any more; what came in to it is kept. */
    async delete(caller: Caller, formId: string): Promise<Form> {
      const deleted = await editForm(caller, { formId, path: ['id'] }, async ({ em, form }) => {
        const time = now();
        form.deletedAt = time;
        form.updatedAt = time;
        form.intakeVersion += 1;
        await enqueueDisconnectOfForm(em, form.id);
        return form;
      });
      published.forget(deleted.id);
      return deleted;
    },

    /** The forms of these ids, whoever asks; deleted ones are not found. */
    async readMany({ em }: Caller, ids: readonly Id<'form'>[]): Promise<Map<Id<'form'>, Form>> {
      const forms = await em.find(Form, { id: { $in: [...ids] }, deletedAt: null }, unrestricted.formsById);
      return new Map(forms.map((form) => [form.id, form]));
    },

    /** Which of these are within the viewer's reach. */
    async readReached({ em, viewer }: Caller, ids: readonly Id<'form'>[]): Promise<Map<Id<'form'>, Form>> {
      if (!viewer) return new Map();
      const forms = await em.find(Form, { ...formsWhere(reachOf(viewer)), id: { $in: [...ids] }, deletedAt: null });
      return new Map(forms.map((form) => [form.id, form]));
    },

    /** The forms of the viewer's organisation, to a partner those granted to it, oldest first. */
    list: (caller: Caller, range: KeysetRange): Promise<Form[]> =>
      pageOfForms(caller, { reach: reachOf(requirePermission(caller, 'forms:read')), range }),

    /** What is granted to a partner, oldest first. A member sees their own, and whoever sees members everybody's. */
    async listGranted(caller: Caller, { member, range }: { member: Membership; range: KeysetRange }): Promise<Form[]> {
      const { organizationId, userId: partnerId } = member;
      const permission = partnerId === caller.viewer?.userId ? 'forms:read' : 'members:read';
      requireWithin(caller, { organizationId, permission });
      return pageOfForms(caller, { reach: { kind: 'granted', organizationId, partnerId }, range });
    },

    /** What a form asked in one of its versions; versions are never removed. */
    async definition(formId: Id<'form'>, version: number): Promise<FormDefinition> {
      const definition = await published.version(formId, version);
      if (!definition) throw new Error(`${formId} has no version ${version}`);
      return definition;
    },
  };
}

function pageOfForms({ em }: Caller, { reach, range }: { reach: OrganizationReach; range: KeysetRange }): Promise<Form[]> {
  const { after, before, limit, reversed } = range;
  const id = { ...(after && { $gt: after as Id<'form'> }), ...(before && { $lt: before as Id<'form'> }) };
  return em.find(
    Form,
    { ...formsWhere(reach), deletedAt: null, ...(after || before ? { id } : {}) },
    { limit, orderBy: { id: reversed ? 'desc' : 'asc' } },
  );
}

/** Writes a new form with its first version. */
export function insertForm(
  caller: Caller,
  members: { viewer: Viewer; frame: FormFrame; intake: Intake; definition: FormDefinition; time: Date },
): Promise<Form> {
  const { viewer, frame, intake, definition, time } = members;
  return caller.em.fork().transactional(async (em) => {
    const form = em.create(Form, {
      ...frame,
      ...intake,
      id: newId('form'),
      organizationId: viewer.organizationId,
      ownerId: viewer.userId,
      version: 1,
      createdAt: time,
      updatedAt: time,
    });
    if (intake.maxResponses) em.create(FormPlaces, { formId: form.id, taken: 0 });
    await em.flush();
    await writeFirstVersion(em, { formId: form.id, definition, authorId: viewer.userId, now: time });
    return form;
  });
}

/** Sets what differs, and the time of the change if anything does. */
export function applyFrame(form: Form, members: FormFrame, time: Date): void {
  const { title, description, email, metadata } = members;
  const isSame =
    form.title === title &&
    form.description === description &&
    form.email === email &&
    JSON.stringify(canonical(form.metadata)) === JSON.stringify(canonical(metadata));
  if (!isSame) Object.assign(form, { title, description, email, metadata, updatedAt: time });
}

/** Sets what differs; responses that were checked under what was before are checked again. */
async function applyIntake({ em, form }: LockedForm, intake: Intake, time: Date): Promise<void> {
  if (isSameIntake(form, intake)) return;
  // nobody counted while there was no limit
  if (intake.maxResponses && !form.maxResponses) await em.upsert(FormPlaces, { formId: form.id, taken: null });
  Object.assign(form, intake, { updatedAt: time, intakeVersion: form.intakeVersion + 1 });
}
