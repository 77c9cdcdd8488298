import type { Scope, Value } from '../expressions/value-type.ts';
import { conditionsOf, createConditionCompiler, type Conditioned } from '../forms/conditions.ts';
import type { FormDefinition } from '../forms/form-definition.ts';
import { valueReader } from './answer-values.ts';
import type { AnswerValue } from './response.entity.ts';

/** A condition under which questions are asked. */
export interface CompiledCondition {
  source: string;
  /** The title of the section whose condition it is; undefined: the question's own. */
  section: string | undefined;
  /** The keys it reads, of earlier questions. */
  keys: ReadonlySet<string>;
  /** Where it cannot be told, it does not hold. */
  holds: (scope: Scope) => boolean;
}

/** When the questions of a form's version are asked; both by the question's place. */
export interface Visibility {
  /** All must hold. */
  conditions: readonly (readonly CompiledCondition[])[];
  /** How an answer reads in conditions; undefined: none reads it. */
  values: readonly (((stored: AnswerValue) => Value) | undefined)[];
}

/** Undefined for a form without conditions, so that it pays nothing for those of others. */
export function compileVisibility(definition: FormDefinition): Visibility | undefined {
  const all = conditionsOf(definition);
  if (all.length === 0) return undefined;
  const sections = new Map<string, string>(definition.sections?.map(({ id, title }) => [id, title]));
  const compile = createConditionCompiler(definition);
  const byOwner = new Map<string, CompiledCondition>(all.map((condition) => [condition.id, made(condition)]));
  const read = new Set([...byOwner.values()].flatMap(({ keys }) => [...keys]));
  return {
    conditions: definition.questions.map(({ id, sectionId = '' }) => [byOwner.get(sectionId) ?? [], byOwner.get(id) ?? []].flat()),
    values: definition.questions.map((question) => (read.has(question.key) ? valueReader(question) : undefined)),
  };

  function made(condition: Conditioned): CompiledCondition {
    const { keys, evaluate } = compile(condition);
    return { source: condition.source, section: sections.get(condition.id), keys, holds: (scope) => evaluate(scope) === true };
  }
}
