import { mutation } from '../graphql/mutation.ts';
import { FormType } from './forms.graphql.ts';
import { QuestionChangeFields, QuestionInputType, QuestionType } from './question.graphql.ts';
import type { EditedQuestion, QuestionsService } from './questions.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    questions: QuestionsService;
  }
}

const payload = { question: QuestionType, form: FormType };

const answer = async (edit: Promise<EditedQuestion>) => {
  const { form, question, definition } = await edit;
  return { form, question: { ...question, formId: form.id, definition } };
};

mutation('addQuestion', {
  description: 'Adds a question; the form has a new version then.',
  input: (t) => ({
    formId: t.id({ required: true }),
    question: t.field({ type: QuestionInputType, required: true }),
    position: t.int({ description: 'From 0; by default at the end of its section, or of the form.' }),
    sectionId: t.id({ description: 'A section of the form; by default none.' }),
  }),
  payload,
  run: (input, context) => answer(context.services.questions.add(context, input)),
});

mutation('updateQuestion', {
  description: 'Changes what is given and leaves the rest; where anything changes, the form has a new version then.',
  input: (t) => ({
    id: t.id({ required: true }),
    ...QuestionChangeFields(t),
    position: t.int({ description: 'Where to move it, from 0.' }),
    sectionId: t.id({ description: 'The section it is moved to; null: none.' }),
  }),
  payload,
  run: (input, context) => answer(context.services.questions.update(context, input)),
});

mutation('removeQuestion', {
  description: 'Removes a question; the form has a new version then. Earlier answers still show it. Answers the question as it was.',
  input: (t) => ({ id: t.id({ required: true }) }),
  payload,
  run: (input, context) => answer(context.services.questions.remove(context, input.id)),
});

mutation('reorderQuestions', {
  description: 'Brings all questions of a form into another order at once; the form has a new version then. Sections follow their questions, which stay next to each other.',
  input: (t) => ({
    formId: t.id({ required: true }),
    questionIds: t.idList({ required: true, description: 'All questions of the form, each once.' }),
  }),
  payload: { form: FormType },
  run: async (input, context) => ({ form: await context.services.questions.reorder(context, input) }),
});
