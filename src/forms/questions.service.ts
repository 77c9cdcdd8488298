import { isId, type Id } from '../events/id.ts';
import { requirePermission } from '../accounts/permissions.ts';
import type { Caller } from '../graphql/context.ts';
import { UserError } from '../user-error.ts';
import { withChangedQuestion, withoutQuestion, withQuestion } from './definition-edit.ts';
import type { FormDefinition, QuestionDefinition } from './form-definition.ts';
import { editForm, writeNextVersion, type LockedForm } from './form-versions.ts';
import type { Form } from './form.entity.ts';
import type { FormsDeps } from './forms.service.ts';
import { createInputFaults } from './input-faults.ts';
import { changedQuestion, readQuestion, type QuestionChange, type QuestionInput } from './question-input.ts';
import { Question } from './question.entity.ts';

export interface AddQuestionInput {
  formId: string;
  question: QuestionInput;
  /** From 0; absent: at the end. */
  position?: number | null | undefined;
}

export type UpdateQuestionInput = QuestionChange & { id: string; position?: number | null | undefined };

/** A form after an edit of one of its questions, and that question. */
export interface EditedQuestion {
  form: Form;
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
      return { form: locked.form, question };
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
        const position = input.position ?? undefined;
        const after = withQuestion(definition, draft, { faults, path, now: time, position, positionPath: ['position'] });
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
        const position = input.position ?? undefined;
        const edit = { draft, faults, path: [], now: time, position, positionPath: ['position'] };
        const after = withChangedQuestion(definition, question, edit);
        faults.throwIfAny();
        return { after, question: findQuestion(after, ({ id }) => id === input.id) };
      });
    },

    /** Answers the question as it was; earlier responses still show it. */
    async remove(caller: Caller, questionId: string): Promise<EditedQuestion> {
      return commit(caller, await placeOf(caller, questionId), ({ definition }) => {
        const question = findQuestion(definition, ({ id }) => id === questionId);
        return { after: withoutQuestion(definition, question), question };
      });
    },
  };
}

type QuestionEdit = (locked: LockedForm, time: Date) => { after: FormDefinition; question: QuestionDefinition };

const noSuchQuestion = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no question with this id.', ['id']);

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
