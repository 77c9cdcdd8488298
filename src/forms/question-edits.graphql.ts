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
  const { form, question } = await edit;
  return { form, question: { ...question, formId: form.id } };
};

mutation('addQuestion', {
  description: 'Adds a question; the form has a new version then.',
  input: (t) => ({
    formId: t.id({ required: true }),
    question: t.field({ type: QuestionInputType, required: true }),
    position: t.int({ description: 'From 0; by default at the end.' }),
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
