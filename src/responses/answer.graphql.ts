import type { Id } from '../events/id.ts';
import { formLoader } from '../forms/forms.graphql.ts';
import { ChoiceType, QuestionType } from '../forms/question.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { isPositionKey, positionKey } from '../graphql/cursor.ts';
import { createLoader } from '../graphql/loader.ts';
import { nodeRef } from '../graphql/node.ts';
import { chosen } from './answers.ts';
import { valueText } from './render.ts';
import { requireFormOwner } from './require-form-owner.ts';
import { ResponseType } from './responses.graphql.ts';

/** Answers by id; those of other organisations are not found. */
const answerLoader = createLoader((ids: readonly Id<'ans'>[], context) => context.services.responses.readAnswers(context, ids));

export const AnswerType = nodeRef('Answer', { prefix: 'ans', load: answerLoader });
AnswerType.implement({
  description: 'The value a response gives to one question.',
  fields: (t) => ({
    question: t.field({
      description: 'As it was asked when the response was given.',
      type: QuestionType,
      resolve: ({ question, definition, response }) => ({ ...question, formId: response.formId, definition }),
    }),
    response: t.expose('response', { type: ResponseType }),
    value: t.field({
      description: 'A choice as its text, several as a list of texts.',
      type: 'JSON',
      nullable: true,
      resolve: ({ value }) => value,
    }),
    text: t.string({ description: 'The value as text; several choices joined by ", ".', resolve: ({ value }) => valueText(value) }),
    number: t.float({ nullable: true, resolve: ({ value }) => (typeof value === 'number' ? value : null) }),
    choices: t.field({
      type: [ChoiceType],
      resolve: (answer) => chosen(answer).map((choice) => ({ ...choice, questionId: answer.question.id })),
    }),
    metadata: t.field({ type: 'JSON', nullable: true, resolve: ({ stored }) => stored.metadata ?? {} }),
    answeredAt: t.field({ type: 'DateTime', resolve: ({ response }) => response.submittedAt }),
  }),
});

const AnswerConnection = connectionType(AnswerType);

builder.objectField(ResponseType, 'answers', (t) =>
  t.field({
    description: 'In the form’s order; a question that was left open has none.',
    type: [AnswerType],
    resolve: (response, _args, context) => context.services.responses.answers(response),
  }),
);

builder.objectField(QuestionType, 'answers', (t) =>
  t.connection(
    {
      description: 'Answers in current revisions of responses, oldest first.',
      type: AnswerType,
      resolve: async ({ id: questionId, formId }, args, context) => {
        await requireFormOwner(context, { form: await formLoader(context).load(formId), permission: 'responses:read' });
        return keysetPage({
          args,
          load: (range) => context.services.responses.listAnswers(context, { formId, questionId, range }),
          keyOf: (answer) => positionKey(answer.response.position),
          isKey: isPositionKey,
        });
      },
    },
    AnswerConnection,
  ),
);
