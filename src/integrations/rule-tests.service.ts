import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Finding, NetworkPolicy } from '../../integrations/provider.ts';
import { prepareRules, rules as provider, unfitRules } from '../../integrations/rules/rules.ts';
import type { RulesSettings } from '../../integrations/rules/settings.ts';
import { requirePermission } from '../accounts/permissions.ts';
import { reachOf, type Reach } from '../accounts/reach.ts';
import type { Id } from '../events/id.ts';
import type { PublishedForm, PublishedForms } from '../forms/published-forms.ts';
import type { Caller } from '../graphql/context.ts';
import { decodeCursor, encodeCursor, isPositionKey, positionKey } from '../graphql/cursor.ts';
import { scopeReader } from '../responses/answer-values.ts';
import { compileForm, type CompiledForm } from '../responses/compile-form.ts';
import { pageOfResponses } from '../responses/response-rows.ts';
import { Refusal } from '../responses/read-value.ts';
import type { AnswerValue, StoredAnswers } from '../responses/response.entity.ts';
import { UserError } from '../user-error.ts';
import { readEmail, shapeOf } from './form-shape.ts';
import { ownFormId } from './own-form.ts';
import { parseSettings } from './parse-settings.ts';

export interface RuleTestsDeps {
  pool: Pool;
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  forms: Pick<PublishedForms, 'refresh'>;
  network: NetworkPolicy;
}

export interface TestRulesInput {
  formId: string;
  rules: unknown;
  /** How many responses to check at most. */
  first?: number | null | undefined;
  /** Where the call before ended. */
  after?: string | null | undefined;
}

/** How many of the checked responses a rule has something against. */
export interface RuleCount {
  rule: string;
  flagged: number;
  refused: number;
}

/** A response that rules have something against. */
export interface TestedResponse {
  responseId: Id<'resp'>;
  findings: Finding[];
}

export interface RulesTested {
  checked: number;
  /** Where to go on; null: all are checked. */
  endCursor: string | null;
  rules: RuleCount[];
  /** The first of them. */
  responses: TestedResponse[];
}

export const ruleTestLimits = {
  /** Responses that one call checks. */
  responses: 1_000,
  /** Of those that rules have something against, as many are listed. */
  listed: 50,
} as const;

/** Responses in memory at a time. */
const pageSize = 100;

export type RuleTestsService = ReturnType<typeof createRuleTestsService>;

/** Tries rules on responses that are there, before they are saved. Writes nothing. */
export function createRuleTestsService({ pool, reads, forms, network }: RuleTestsDeps) {
  return {
    /**
     * Checks a form's current responses, oldest first, as if they came in now: an answer that does not fit the form any
     * more counts as none. Throws UserError with every fault of the rules, as saving them would.
     */
    async test(caller: Caller, input: TestRulesInput): Promise<RulesTested> {
      requirePermission(caller, 'responses:read');
      const viewer = requirePermission(caller, 'integrations:write');
      const settings = parseSettings(provider, { settings: { rules: input.rules }, network, path: [] }) as RulesSettings;
      const bounds = { most: readFirst(input.first), after: readAfter(input.after) };
      const formId = await ownFormId(caller.em, { viewer, formId: input.formId });
      const form = formId && (await forms.refresh(formId));
      if (!form) throw new UserError('NOT_FOUND', 'Your organisation has no form with this id.', ['formId']);
      const examine = prepare(settings, { form, email: await readEmail(pool, form.id) });
      return testPages(reads, { reach: reachOf(viewer), formId: form.id, settings, examine, ...bounds });
    },
  };
}

function readFirst(first: number | null | undefined): number {
  if (first === null || first === undefined) return ruleTestLimits.responses;
  if (first >= 1 && first <= ruleTestLimits.responses) return first;
  throw new UserError('INVALID_INPUT', `"first" must be between 1 and ${ruleTestLimits.responses}.`, ['first']);
}

function readAfter(cursor: string | null | undefined): string | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const key = decodeCursor(cursor);
  if (key !== undefined && isPositionKey(key)) return key;
  throw new UserError('INVALID_INPUT', '"after" is no cursor of this test; use one that it has answered.', ['after']);
}

type Examine = (answers: StoredAnswers) => Finding[];

function prepare(settings: RulesSettings, { form, email }: { form: PublishedForm; email: string }): Examine {
  const shape = shapeOf({ ...form, email });
  const faults = unfitRules(settings, shape);
  if (faults.length > 0) throw new UserError(faults.map((fault) => ({ code: 'INVALID_INPUT', ...fault })));
  const check = prepareRules(settings, shape);
  const scopeOf = scopeReader(form.definition);
  const compiled = compileForm(form.definition);
  return (answers) => check(scopeOf(fittingAnswers(compiled, answers)));
}

/** The answers that the form would still take: a question may have become one of another kind. */
function fittingAnswers({ byId }: CompiledForm, answers: StoredAnswers): StoredAnswers {
  const isFitting = (id: string, value: AnswerValue): boolean => !(byId.get(id)?.read(value) instanceof Refusal);
  return Object.fromEntries(Object.entries(answers).filter(([id, { value }]) => isFitting(id, value)));
}

async function testPages(
  reads: Pool,
  test: { reach: Reach; formId: Id<'form'>; settings: RulesSettings; examine: Examine; most: number; after: string | undefined },
): Promise<RulesTested> {
  const { reach, formId, settings, examine, most } = test;
  const counts = new Map(settings.rules.map(({ name }) => [name, { rule: name, flagged: 0, refused: 0 }]));
  const listed: TestedResponse[] = [];
  let { after } = test;
  let checked = 0;
  let isOver = false;
  while (!isOver && checked < most) {
    const limit = Math.min(pageSize, most - checked);
    const page = await pageOfResponses(reads, { reach, formId, range: { after, before: undefined, limit, reversed: false } });
    for (const { id, answers } of page) {
      await nextTurn(); // fifty rules may take long, and others wait meanwhile
      const findings = examine(answers);
      count(counts, findings);
      if (findings.length > 0 && listed.length < ruleTestLimits.listed) listed.push({ responseId: id, findings });
    }
    checked += page.length;
    const last = page.at(-1);
    after = last && positionKey(last.position);
    isOver = page.length < limit;
  }
  return { checked, endCursor: isOver || !after ? null : encodeCursor(after), rules: [...counts.values()], responses: listed };
}

function count(counts: ReadonlyMap<string, RuleCount>, findings: readonly Finding[]): void {
  for (const { rule, severity } of findings) {
    const of = counts.get(rule);
    if (of) of[severity === 'flag' ? 'flagged' : 'refused'] += 1;
  }
}
