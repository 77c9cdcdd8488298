import { canonical, type Json } from '../events/canonical-json.ts';
import { choiceMembers, fileMembers, questionMembers, sectionMembers, valuesOf, type Member } from './definition-members.ts';
import type { FormDefinition, QuestionDefinition, SectionDefinition } from './form-definition.ts';
import type { FormFrame } from './form-input.ts';

/** The version of the format: what a file's member `formwire` says. */
export const fileFormat = 1;

type JsonObject = Record<string, Json>;

/**
 * A form as a file that can be kept, compared and imported elsewhere: what it says and asks, without ids, times,
 * status and limits. Members stand in one order and are left out where they say nothing, so that a change of the form
 * is a change of a few lines. `questions` has the questions in their order; a section stands among them, with
 * `questions` of its own.
 */
export function writeFormFile(frame: FormFrame, definition: FormDefinition): JsonObject {
  const { title, description, email, metadata } = frame;
  return { formwire: fileFormat, ...written(fileMembers, { ...definition, title, description, email, metadata }), questions: entriesOf(definition) };
}

/** Questions and sections in the order of the form. A section without questions follows the one that is before it. */
function entriesOf({ questions, sections = [] }: FormDefinition): Json[] {
  const entries: Json[] = [];
  let next = 0;
  let own: Json[] = [];
  const open = (section: SectionDefinition): void => {
    own = [];
    entries.push({ ...written(sectionMembers, section), questions: own });
  };
  for (const [place, question] of questions.entries()) {
    const { sectionId } = question;
    if (sectionId !== questions[place - 1]?.sectionId) {
      const end = sections.findIndex(({ id }) => id === sectionId) + 1;
      for (; next < end; next += 1) sections.slice(next, next + 1).forEach(open);
    }
    (sectionId === undefined ? entries : own).push(writtenQuestion(question));
  }
  sections.slice(next).forEach(open);
  return entries;
}

const writtenQuestion = (question: QuestionDefinition): Json => ({
  ...written(questionMembers, { ...question, ...question.constraints }),
  ...(question.choices.length > 0 && { choices: question.choices.map((choice) => written(choiceMembers, choice)) }),
});

function written<Name extends string>(members: Record<Name, Member>, source: { readonly [Key in NoInfer<Name>]?: unknown }): JsonObject {
  const values: [string, Json][] = Object.entries<Json>(valuesOf(members, source));
  const absent = new Map(Object.entries<Member>(members).map(([name, member]) => [name, JSON.stringify(member.absent)]));
  return Object.fromEntries(values.flatMap(([name, value]) => (JSON.stringify(value) === absent.get(name) ? [] : [[name, canonical(value)]])));
}
