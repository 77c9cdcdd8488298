import type { CreateFormInput } from './form-input.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { readQuestion, type QuestionDraft } from './question-input.ts';
import { readSection, type NewSection } from './section-input.ts';

/** The questions of a new form in their order: those of no section, then those of each section. */
export interface NewQuestions {
  drafts: QuestionDraft[];
  sections: NewSection[];
  /** Where the question of an index stands in the input. */
  pathOf: (index: number) => Path;
}

/** Reads the questions and sections of a new form. What is wrong goes into `faults`. */
export function readNewQuestions({ questions, sections: given }: Pick<CreateFormInput, 'questions' | 'sections'>, faults: InputFaults): NewQuestions {
  const inputs = given ?? [];
  if (inputs.length > formLimits.sections) faults.add(['sections'], `A form has at most ${formLimits.sections} sections; these are ${inputs.length}.`);
  const read = inputs.length > formLimits.sections ? [] : inputs;
  const paths: Path[] = questions.map((_, index) => ['questions', index]);
  const all = [...questions];
  const sections = read.map((section, index) => {
    const own = section.questions ?? [];
    all.push(...own);
    paths.push(...own.map((_, place) => ['sections', index, 'questions', place]));
    return { draft: readSection(section, { path: ['sections', index], faults }), questions: own.length };
  });
  const drafts = all.map((question, index) => readQuestion(question, { path: paths[index] ?? [], faults }));
  return { drafts, sections, pathOf: (index) => paths[index] ?? [] };
}
