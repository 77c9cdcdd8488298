import type { Scope } from '../../src/expressions/value-type.ts';
import type { Finding, FormShape, ResponseCheck, SettingsFault } from '../provider.ts';
import { compileRule, type CompiledRule } from './compile-rule.ts';
import { rulesSettings, type Rule, type RulesSettings } from './settings.ts';

/** Makes all rules ready for a form's version. A rule that does not fit it any more flags every response, by its name. */
export function prepareRules({ rules }: RulesSettings, form: FormShape): ResponseCheck {
  const compiled = rules.map((rule) => ({ rule, made: compileRule(rule, form) }));
  return (answers) => compiled.flatMap(({ rule, made }) => findingOf(rule, made, answers) ?? []);
}

/** Why rules cannot be checked on a form's version. */
export const unfitRules = ({ rules }: RulesSettings, form: FormShape): SettingsFault[] =>
  rules.flatMap((rule, index) => {
    const made = compileRule(rule, form);
    return 'fault' in made ? [{ message: made.fault, path: ['rules', index, made.member] }] : [];
  });

function findingOf(rule: Rule, made: CompiledRule, answers: Scope): Finding | undefined {
  if ('check' in made) return made.check(answers);
  return { severity: 'flag', rule: rule.name, message: `The rule "${rule.name}" cannot be checked any more: ${made.fault}`, keys: [] };
}

export { rulesSettings };
