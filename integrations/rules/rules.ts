import type { Scope } from '../../src/expressions/value-type.ts';
import type { Allowance } from '../message-engine.ts';
import { openAllowance } from '../message-template.ts';
import type { Finding, FormShape, Provider, ResponseCheck, SettingsFault } from '../provider.ts';
import { compileRule, type CompiledRule } from './compile-rule.ts';
import { rulesSettings, type Rule, type RulesSettings } from './settings.ts';

/** Business rules over the answers of a response: what breaks one is flagged or refused before it is accepted. */
export const rules = {
  name: 'rules',
  title: 'Rules',
  description: 'Checks each response by rules of yours before it is accepted, and flags or refuses what breaks one.',
  settings: rulesSettings,
  // of calls that send something; it makes none
  limits: { batchSize: 1, concurrency: 1, timeoutMs: 1_000 },
  needsForm: true,
  defaultEvents: [],
  unfit: unfitRules,
  prepareCheck: prepareRules,
} satisfies Provider<RulesSettings>;

/** Makes all rules ready for a form's version. A rule that does not fit it any more flags every response, by its name. */
export function prepareRules(settings: RulesSettings, form: FormShape): ResponseCheck {
  const compiled = settings.rules.map((rule) => ({ rule, made: compileRule(rule, form) }));
  return (answers) => {
    const allowance = openAllowance();
    return compiled.flatMap(({ rule, made }) => findingOf({ rule, made }, answers, allowance) ?? []);
  };
}

/** Why rules cannot be checked on a form's version. */
export function unfitRules(settings: RulesSettings, form: FormShape): SettingsFault[] {
  return settings.rules.flatMap((rule, index) => {
    const made = compileRule(rule, form);
    return 'fault' in made ? [{ message: made.fault, path: ['rules', index, made.member] }] : [];
  });
}

function findingOf({ rule, made }: { rule: Rule; made: CompiledRule }, answers: Scope, allowance: Allowance): Finding | undefined {
  if ('check' in made) return made.check(answers, allowance);
  return { severity: 'flag', rule: rule.name, message: `The rule "${rule.name}" cannot be checked any more: ${made.fault}`, keys: [] };
}
