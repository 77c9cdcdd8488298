import type { Json } from '../events/canonical-json.ts';
import { readFormTranslations, readFrame, type FormFrame } from './form-input.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults } from './input-faults.ts';
import { readQuestion, type QuestionInput } from './question-input.ts';
import { readFormFile, type FileQuestion } from './read-form-file.ts';
import type { WholeDraft } from './redefine.ts';
import { readSection, type SectionInput } from './section-input.ts';

/** What a file makes of a form. Throws UserError with every fault of the file, each with its path. */
export function readDraft(file: Json, faults: InputFaults): { frame: FormFrame; draft: WholeDraft } {
  const { form, sections, questions } = readFormFile(file, faults);
  checkKeys(questions, faults);
  if (sections.length > formLimits.sections) faults.add(['questions'], `A form has at most ${formLimits.sections} sections; these are ${sections.length}.`);
  // values whose types have been looked at, member by member, are input like any other
  const frame = form && readFrame(form as unknown as FormFrame, faults);
  const translations = readFormTranslations(form ?? {}, { now: {}, faults });
  const drafts = {
    sections: sections.map(({ values, path }) => ({ draft: readSection(values as unknown as SectionInput, { path, faults }), path })),
    questions: questions.map((question) => ({ ...question, draft: draftOf(question, faults) })),
  };
  faults.throwIfAny();
  if (!frame) throw new Error('a file that says nothing of the form has no faults');
  return { frame, draft: { title: frame.title, translations, ...drafts } };
}

function draftOf({ values, choices, path }: FileQuestion, faults: InputFaults): WholeDraft['questions'][number]['draft'] {
  const input = { ...values, choices } as unknown as QuestionInput & { key: string };
  return { ...readQuestion(input, { path, faults }), key: input.key };
}

function checkKeys(questions: readonly FileQuestion[], faults: InputFaults): void {
  const taken = new Set<Json | undefined>();
  for (const { values, path } of questions) {
    const { key } = values;
    if (taken.has(key)) faults.add([...path, 'key'], 'Another question of this file has the same key.', 'TAKEN');
    taken.add(key);
  }
}
