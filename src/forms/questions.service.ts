import { isId, type Id } from '../events/id.ts';
import { requirePermission } from '../accounts/permissions.ts';
import type { Caller } from '../graphql/context.ts';
import { UserError } from '../user-error.ts';
import { checkDefinition } from './definition-checks.ts';
import { withChangedQuestion, withoutQuestion, withQuestion, type Placing } from './definition-edit.ts';
import type { FormDefinition, QuestionDefinition } from './form-definition.ts';
import { editForm, writeNextVersion, type LockedForm } from './form-versions.ts';
import type { Form } from './form.entity.ts';
import type { FormsDeps } from './forms.service.ts';
import { createInputFaults, type InputFaults } from './input-faults.ts';
import { reordered } from './question-order.ts';
import { changedQuestion, readQuestion, type QuestionChange, type QuestionInput } from './question-input.ts';
import { Question } from './question.entity.ts';

export interface AddQuestionInput {
  formId: string;
  question: QuestionInput;
  /** From 0; absent: at the end. */
  position?: number | null | undefined;
  /** At the end of it, if no position is given. */
  sectionId?: string | null | undefined;
}

/** `sectionId` null: into none. */
export type UpdateQuestionInput = QuestionChange & { id: string; position?: number | null | undefined; sectionId?: string | null | undefined };

/** A form after an edit of one of its questions, and that question. */
export interface EditedQuestion {
  form: Form;
  /** The form's definition that has the question. */
  definition: FormDefinition;
  question: QuestionDefinition;
}

export type QuestionsService = ReturnType<typeof createQuestionsService>;

/** Edits of single questions. Each that changes anything makes the form's next version. */
export function createQuestionsService(deps: FormsDeps) {
  const { published, now } = deps;

  const commit = async (caller: Caller, place: { formId: string; path: string[] }, edit: QuestionEdit): Promise<EditedQuestion> => {
    const time = now();
    const edited = await editForm(caller, place, async (locked) => {
      const { after, question } = edit(locked, time);
      await writeNextVersion(locked, after, time);
      return { form: locked.form, question, definition: after.questions.includes(question) ? after : locked.definition };
    });
    published.forget(edited.form.id);
    return edited;
  };

  return {
    /** Throws UserError with every fault at once. */
    add(caller: Caller, input: AddQuestionInput): Promise<EditedQuestion> {
      return commit(caller, { formId: input.formId, path: ['formId'] }, ({ definition }, time) => {
        const faults = createInputFaults();
        const path = ['question'];
        const draft = readQuestion(input.question, { path, faults });
        const place = readPlacing(definition, input, faults);
        const after = withQuestion(definition, draft, { faults, path, now: time, ...place });
        faults.throwIfAny();
        return { after, question: findQuestion(after, (question) => !definition.questions.includes(question)) };
      });
    },

    /** Changes what is given and leaves the rest; also moves the question where `position` is given. */
    async update(caller: Caller, input: UpdateQuestionInput): Promise<EditedQuestion> {
      return commit(caller, await placeOf(caller, input.id), ({ definition }, time) => {
        const question = findQuestion(definition, ({ id }) => id === input.id);
        const faults = createInputFaults();
        const draft = readQuestion(changedQuestion(question, input), { path: [], faults });
        const edit = { draft, faults, path: [], elsewhere: ['id'], now: time, ...readPlacing(definition, input, faults) };
        const after = withChangedQuestion(definition, question, edit);
        faults.throwIfAny();
        return { after, question: findQuestion(after, ({ id }) => id === input.id) };
      });
    },

    /** Answers the question as it was; earlier responses still show it. */
    async remove(caller: Caller, questionId: string): Promise<EditedQuestion> {
      return commit(caller, await placeOf(caller, questionId), ({ definition }) => {
        const question = findQuestion(definition, ({ id }) => id === questionId);
        const faults = createInputFaults();
        const after = checkDefinition(withoutQuestion(definition, question), { faults, path: ['id'] });
        faults.throwIfAny();
        return { after, question };
      });
    },

    /** Brings all questions of a form into another order at once. */
    async reorder(caller: Caller, input: { formId: string; questionIds: readonly string[] }): Promise<Form> {
      const time = now();
      const form = await editForm(caller, { formId: input.formId, path: ['formId'] }, async (locked) => {
        const faults = createInputFaults();
        const path = ['questionIds'];
        const after = reordered(locked.definition, input.questionIds, { faults, path });
        faults.throwIfAny();
        if (after !== locked.definition) checkDefinition(after, { faults, path });
        faults.throwIfAny();
        await writeNextVersion(locked, after, time);
        return locked.form;
      });
      published.forget(form.id);
      return form;
    },
  };
}

type QuestionEdit = (locked: LockedForm, time: Date) => { after: FormDefinition; question: QuestionDefinition };

const noSuchQuestion = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no question with this id.', ['id']);

/** Where to put a question. A section that the form does not have is a fault. */
function readPlacing({ sections = [] }: FormDefinition, input: Pick<UpdateQuestionInput, 'position' | 'sectionId'>, faults: InputFaults): Placing {
  const { sectionId, position } = input;
  if (typeof sectionId === 'string' && !sections.some(({ id }) => id === sectionId)) {
    faults.add(['sectionId'], 'This form has no section with this id.', 'NOT_FOUND');
  }
  return { sectionId, position: position ?? undefined, positionPath: ['position'] };
}

/** The form that a question belongs to; an edit of it reports a form that is not the viewer's at the question's id. */
async function placeOf(caller: Caller, questionId: string): Promise<{ formId: Id<'form'>; path: string[] }> {
  requirePermission(caller, 'forms:write');
  const question = isId('q', questionId) ? await caller.em.findOne(Question, { id: questionId, removedAt: null }) : null;
  if (!question) throw noSuchQuestion();
  return { formId: question.formId, path: ['id'] };
}

function findQuestion(definition: FormDefinition, isIt: (question: QuestionDefinition) => boolean): QuestionDefinition {
  const question = definition.questions.find(isIt);
  if (!question) throw noSuchQuestion();
  return question;
}
