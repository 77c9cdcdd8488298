import type { Finding, FormCheck, FormShape } from '../provider.ts';
import { compileRule, type CompiledRule } from './compile-rule.ts';
import { rulesSettings, type Rule, type RulesSettings } from './settings.ts';

/** Makes all rules ready for a form's version. A rule that does not fit it any more flags every response, by its name. */
export function prepareRules({ rules }: RulesSettings, form: FormShape): FormCheck {
  const compiled = rules.map((rule, index) => ({ rule, index, made: compileRule(rule, form) }));
  return {
    faults: compiled.flatMap(({ index, made }) => ('fault' in made ? [{ message: made.fault, path: ['rules', index, made.member] }] : [])),
    check: (answers) => compiled.flatMap(({ rule, made }) => findingOf(rule, made, answers) ?? []),
  };
}

function findingOf(rule: Rule, made: CompiledRule, answers: Parameters<FormCheck['check']>[0]): Finding | undefined {
  if ('check' in made) return made.check(answers);
  return { severity: 'flag', rule: rule.name, message: `The rule "${rule.name}" cannot be checked any more: ${made.fault}`, keys: [] };
}

export { rulesSettings };
