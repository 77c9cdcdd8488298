import { z } from 'zod';
import { expressionLimits } from '../../src/expressions/parse.ts';
import { templateLimits } from '../message-template.ts';

export const ruleLimits = { rules: 50, nameLength: 64 } as const;

const rule = z.object({
  name: z
    .string()
    .max(ruleLimits.nameLength, `The name of a rule has at most ${ruleLimits.nameLength} characters.`)
    .regex(/^[a-z][a-z0-9_]*$/, 'The name of a rule begins with a letter a–z and goes on with a–z, 0–9 and _.')
    .describe('Its name for programs, unique among these rules: a–z, 0–9 and _.'),
  expression: z
    .string()
    .max(expressionLimits.length, `An expression has at most ${expressionLimits.length} characters.`)
    .describe('What must hold, in CEL over the answers by their questions’ keys: `spent <= income - saved`.'),
  severity: z
    .enum(['flag', 'refuse'])
    .meta({ id: 'RuleSeverity' })
    .default('flag')
    .describe('What becomes of a response for which it does not hold: accepted with a flag, or refused.'),
  message: z
    .string()
    .max(templateLimits.length, `A message has at most ${templateLimits.length} characters.`)
    .describe('What to tell then, in Liquid with the answers by their keys: `You have spent {{ spent }}.`'),
  missingNumbers: z
    .enum(['zero', 'skip'])
    .default('zero')
    .describe('Where a number it needs is missing: it counts as 0, or the rule does not apply.'),
});

/** Business rules: what must hold of a response, and what to say where it does not. */
export const rulesSettings = z.object({
  rules: z
    .array(rule)
    .min(1, 'Give at least one rule.')
    .max(ruleLimits.rules, `At most ${ruleLimits.rules} rules.`)
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'Every rule needs a name of its own.'),
});

export type RulesSettings = z.output<typeof rulesSettings>;
export type Rule = RulesSettings['rules'][number];
