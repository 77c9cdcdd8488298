import type { Value } from '../expressions/value-type.ts';
import type { Fault } from '../user-error.ts';
import type { CompiledForm, CompiledQuestion } from './compile-form.ts';
import { findQuestion, Unnamed } from './name-question.ts';
import { isLeftOpen, missing, readAnswer } from './read-answer.ts';
import { quoted } from './read-value.ts';
import type { StoredAnswer, StoredAnswers } from './response.entity.ts';
import type { AnswerInput } from './submission.ts';
import type { CompiledCondition, Visibility } from './visibility.ts';

/** What was sent for one question: its place in the input, and what it says, should the question be asked. */
interface Sent {
  index: number;
  isLeftOpen: boolean;
  outcome: StoredAnswer | null;
  faults: Fault[];
}

/**
 * Checks the answers of a form with conditions. Questions are gone through in the form's order: one that is hidden
 * takes no answer and requires none, and counts as not answered in the conditions of later ones. What reads an answer
 * that is itself at fault is not judged, so that one mistake is not reported as several.
 */
export function validateVisible(form: CompiledForm, visibility: Visibility, answers: readonly AnswerInput[]): { answers: StoredAnswers } | { faults: Fault[] } {
  const faults: Fault[] = [];
  const sent = readAll({ form, answers, faults });
  const judge = createJudge();
  const stored: StoredAnswers = {};
  for (const question of form.questions) {
    const own = sent[question.place];
    const hiding = judge.whyHidden(visibility.conditions[question.place] ?? []);
    if (hiding === 'unknown') {
      judge.leaveOpen(question.key);
      faults.push(...(own?.faults ?? []).filter(({ code }) => code !== 'ANSWER_REQUIRED'));
    } else if (hiding) {
      if (own && !own.isLeftOpen) faults.push(hidden(question, hiding, own.index));
    } else {
      const outcome = own?.outcome;
      if (outcome) stored[question.id] = outcome;
      else if (!own && question.required) faults.push(missing(question, ['answers']));
      faults.push(...(own?.faults ?? []));
      const read = visibility.values[question.place];
      if (outcome && read) judge.learn(question.key, read(outcome.value));
      else if (own && !own.isLeftOpen && !outcome) judge.leaveOpen(question.key);
    }
  }
  return faults.length > 0 ? { faults } : { answers: stored };
}

function readAll({ form, answers, faults }: { form: CompiledForm; answers: readonly AnswerInput[]; faults: Fault[] }): (Sent | undefined)[] {
  const sent: (Sent | undefined)[] = Array.from({ length: form.questions.length });
  for (const [index, answer] of answers.entries()) {
    const question = findQuestion(form, answer);
    if (question instanceof Unnamed) {
      faults.push({ code: question.code, message: question.message, path: ['answers', index, ...question.path] });
    } else if (sent[question.place]) {
      faults.push({ code: 'ANSWER_REPEATED', message: `${question.key} is answered more than once.`, path: ['answers', index] });
    } else {
      const own: Fault[] = [];
      sent[question.place] = { index, isLeftOpen: isLeftOpen(answer.value), outcome: readAnswer({ question, answer, index, faults: own }), faults: own };
    }
  }
  return sent;
}

type Verdict = 'holds' | 'fails' | 'unknown';

/** Judges conditions over the answers learned so far, each once: a section's is its questions'. */
function createJudge() {
  const scope = new Map<string, Value>();
  const open = new Set<string>();
  const verdicts = new Map<CompiledCondition, Verdict>();

  const verdictOf = (condition: CompiledCondition): Verdict => {
    const known = verdicts.get(condition);
    if (known) return known;
    const isOpen = open.size > 0 && !open.isDisjointFrom(condition.keys);
    const verdict = isOpen ? 'unknown' : condition.holds(scope) ? 'holds' : 'fails';
    verdicts.set(condition, verdict);
    return verdict;
  };

  return {
    learn: (key: string, value: Value): void => void scope.set(key, value),
    /** Its answer is not known, since it is at fault. */
    leaveOpen: (key: string): void => void open.add(key),
    /** The condition that hides a question; undefined: none does. */
    whyHidden(conditions: readonly CompiledCondition[]): CompiledCondition | 'unknown' | undefined {
      const failing = conditions.find((condition) => verdictOf(condition) === 'fails');
      if (failing) return failing;
      return conditions.some((condition) => verdictOf(condition) === 'unknown') ? 'unknown' : undefined;
    },
  };
}

const maxShown = 200;

function hidden(question: CompiledQuestion, { source, section }: CompiledCondition, index: number): Fault {
  const asked = section === undefined ? 'it is asked' : `its section ${quoted(section)} is asked`;
  const condition = source.length > maxShown ? `${source.slice(0, maxShown).toWellFormed()}…` : source;
  return { code: 'ANSWER_HIDDEN', message: `${question.key} takes no answer here: ${asked} only where ${condition}`, path: ['answers', index] };
}
