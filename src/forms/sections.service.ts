import { isId, type Id } from '../events/id.ts';
import { requirePermission } from '../accounts/permissions.ts';
import type { Caller } from '../graphql/context.ts';
import { UserError } from '../user-error.ts';
import { checkDefinition } from './definition-checks.ts';
import type { FormDefinition, SectionDefinition } from './form-definition.ts';
import { editForm, writeNextVersion } from './form-versions.ts';
import { Form } from './form.entity.ts';
import type { FormsDeps } from './forms.service.ts';
import { createInputFaults } from './input-faults.ts';
import { withChangedSection, withoutSection, withSection } from './section-edit.ts';
import { changedSection, readSection, type SectionChange, type SectionInput } from './section-input.ts';
import { Section } from './section.entity.ts';

export interface AddSectionInput {
  formId: string;
  section: SectionInput;
  /** Questions next to each other, in no section yet, that are in it from now on. */
  questionIds?: readonly string[] | null | undefined;
  /** Among the sections, from 0; absent: behind them. */
  position?: number | null | undefined;
}

export type UpdateSectionInput = SectionChange & { id: string; position?: number | null | undefined };

/** A section as some version of its form has it. */
export interface SectionOfForm extends SectionDefinition {
  formId: Id<'form'>;
  definition: FormDefinition;
}

/** A form after an edit of one of its sections, and that section. */
export interface EditedSection {
  form: Form;
  section: SectionOfForm;
}

export type SectionsService = ReturnType<typeof createSectionsService>;

/** Edits of single sections. Each that changes anything makes the form's next version. */
export function createSectionsService({ published, now }: FormsDeps) {
  const commit = async (caller: Caller, place: { formId: string; path: string[] }, edit: Edit): Promise<EditedSection> => {
    const time = now();
    const edited = await editForm(caller, place, async (locked) => {
      const { after, section } = edit(locked.definition, time);
      await writeNextVersion(locked, after, time);
      return { form: locked.form, section: { ...section, formId: locked.form.id, definition: after } };
    });
    published.forget(edited.form.id);
    return edited;
  };

  return {
    /** Throws UserError with every fault at once. */
    add(caller: Caller, input: AddSectionInput): Promise<EditedSection> {
      return commit(caller, { formId: input.formId, path: ['formId'] }, (definition, time) => {
        const faults = createInputFaults();
        const path = ['section'];
        const draft = readSection(input.section, { path, faults });
        const added = withSection(definition, draft, {
          faults, path, now: time,
          position: input.position ?? undefined,
          positionPath: ['position'],
          questionIds: input.questionIds ?? [],
          questionsPath: ['questionIds'],
        });
        faults.throwIfAny();
        return added;
      });
    },

    /** Changes what is given and leaves the rest; with `position`, moves the section and its questions. */
    async update(caller: Caller, input: UpdateSectionInput): Promise<EditedSection> {
      return commit(caller, await placeOf(caller, input.id), (definition, time) => {
        const section = findSection(definition, input.id);
        const faults = createInputFaults();
        const draft = readSection(changedSection(section, input), { path: [], faults });
        const after = withChangedSection(definition, section, {
          draft, faults, path: [], now: time, elsewhere: ['id'], position: input.position ?? undefined, positionPath: ['position'],
        });
        faults.throwIfAny();
        return { after, section: findSection(after, input.id) };
      });
    },

    /** Answers the section as it was. Its questions stay, in no section. */
    async remove(caller: Caller, sectionId: string): Promise<EditedSection> {
      return commit(caller, await placeOf(caller, sectionId), (definition, time) => {
        const section = findSection(definition, sectionId);
        const faults = createInputFaults();
        const after = checkDefinition(withoutSection(definition, section, time), { faults, path: ['id'] });
        faults.throwIfAny();
        return { after, section };
      });
    },

    /** Sections as they are now, for anyone. */
    async readMany({ em }: Caller, ids: readonly Id<'sec'>[]): Promise<Map<Id<'sec'>, SectionOfForm>> {
      const rows = await em.find(Section, { id: { $in: [...ids] }, removedAt: null });
      const forms = await em.find(Form, { id: { $in: rows.map(({ formId }) => formId) }, deletedAt: null });
      const found = await Promise.all(forms.map(async ({ id, version }) => sectionsOf(id, await published.version(id, version))));
      const wanted = new Set(ids);
      return new Map(found.flat().flatMap((section) => (wanted.has(section.id) ? [[section.id, section] as const] : [])));
    },
  };
}

type Edit = (definition: FormDefinition, time: Date) => { after: FormDefinition; section: SectionDefinition };

/** The sections of one version of a form, as `SectionType` shows them. */
export const sectionsOf = (formId: Id<'form'>, definition: FormDefinition | undefined): SectionOfForm[] =>
  definition?.sections?.map((section) => ({ ...section, formId, definition })) ?? [];

const noSuchSection = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no section with this id.', ['id']);

/** The form that a section belongs to; an edit of it reports a form that is not the viewer's at the section's id. */
async function placeOf(caller: Caller, sectionId: string): Promise<{ formId: Id<'form'>; path: string[] }> {
  requirePermission(caller, 'forms:write');
  const section = isId('sec', sectionId) ? await caller.em.findOne(Section, { id: sectionId, removedAt: null }) : null;
  if (!section) throw noSuchSection();
  return { formId: section.formId, path: ['id'] };
}

function findSection({ sections = [] }: FormDefinition, sectionId: string): SectionDefinition {
  const section = sections.find(({ id }) => id === sectionId);
  if (!section) throw noSuchSection();
  return section;
}
