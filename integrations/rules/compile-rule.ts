import { compileCondition, type CompiledExpression } from '../../src/expressions/compile.ts';
import { ExpressionFault } from '../../src/expressions/expression-fault.ts';
import { isNumeric, typeOfAnswer, type Scope, type Value, type ValueType } from '../../src/expressions/value-type.ts';
import type { Allowance } from '../message-engine.ts';
import { compileMessage, TemplateFault, type MessageTemplate } from '../message-template.ts';
import type { Finding, FormShape } from '../provider.ts';
import type { Rule } from './settings.ts';

/** A rule made ready for one version of a form: `check` answers what it has against a response, if anything. `allowance`: of the messages of that response. */
export type CompiledRule = { check: (answers: Scope, allowance: Allowance) => Finding | undefined } | { fault: string; member: 'expression' | 'message' };

/**
 * Checks a rule against a form's version. A rule applies where every answer it needs is there, numbers counting as 0
 * where it says so. One that applies and has no value nevertheless, since a number is divided by 0 or grows past all
 * bounds, is reported as a flag whatever its severity: a response is not refused for what nobody can mend.
 */
export function compileRule(rule: Rule, form: FormShape): CompiledRule {
  const types = new Map(form.questions.map((question) => [question.key, typeOfAnswer(question)]));
  try {
    const expression = compileCondition(rule.expression, (key) => types.get(key) ?? { reason: `This form has no question with the key "${key}".` });
    const message = compileMessage(rule.message, new Set(types.keys()));
    const zeros = zerosOf(rule, expression, types);
    return { check: (answers, allowance) => checkRule({ rule, expression, message }, { answers: withZeros(answers, zeros), allowance }) };
  } catch (error) {
    if (error instanceof ExpressionFault) return { fault: error.message, member: 'expression' };
    if (error instanceof TemplateFault) return { fault: error.message, member: 'message' };
    throw error;
  }
}

interface Compiled {
  rule: Rule;
  expression: CompiledExpression;
  message: MessageTemplate;
}

interface Checked {
  answers: Scope;
  allowance: Allowance;
}

function checkRule({ rule, expression, message }: Compiled, checked: Checked): Finding | undefined {
  const { answers } = checked;
  const value = expression.evaluate(answers);
  if (value === true) return undefined;
  const keys = [...expression.keys];
  if (value === false) return { severity: rule.severity, rule: rule.name, message: messageOf(rule, message, checked), keys };
  if (keys.some((key) => !answers.has(key))) return undefined;
  return { severity: 'flag', rule: rule.name, message: `The rule "${rule.name}" has no result for these numbers.`, keys };
}

/** A message that cannot be made of these answers, or is blank with them, must not keep the finding from whoever needs it. */
function messageOf(rule: Rule, message: MessageTemplate, { answers, allowance }: Checked): string {
  const fallback = `The rule "${rule.name}" does not hold.`;
  try {
    const text = message.render(Object.fromEntries(answers), allowance).slice(0, maxMessageLength).toWellFormed();
    return text.trim() === '' ? fallback : text;
  } catch (error) {
    if (error instanceof TemplateFault) return fallback;
    throw error;
  }
}

const maxMessageLength = 2_000;

/** The keys of numbers in an expression that count as 0 where they are missing. */
function zerosOf(rule: Rule, { keys }: CompiledExpression, types: ReadonlyMap<string, ValueType>): string[] {
  if (rule.missingNumbers !== 'zero') return [];
  return [...keys].filter((key) => isNumeric(types.get(key) ?? { kind: 'null' }));
}

function withZeros(answers: Scope, keys: readonly string[]): Scope {
  const missing = keys.filter((key) => !answers.has(key));
  if (missing.length === 0) return answers;
  return new Map<string, Value>([...answers, ...missing.map((key) => [key, 0] as const)]);
}
