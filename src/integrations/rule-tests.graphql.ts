import type { Finding } from '../../integrations/provider.ts';
import { builder } from '../graphql/builder.ts';
import { mutation } from '../graphql/mutation.ts';
import './integrations.graphql.ts';
import { ruleTestLimits, type RuleCount, type RuleTestsService, type TestedResponse } from './rule-tests.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    ruleTests: RuleTestsService;
  }
}

const RuleCountType = builder.objectRef<RuleCount>('RuleCount').implement({
  description: 'How many responses a rule has something against.',
  fields: (t) => ({
    rule: t.exposeString('rule'),
    flagged: t.exposeInt('flagged', { description: 'Those it would flag.' }),
    refused: t.exposeInt('refused', { description: 'Those it would refuse.' }),
  }),
});

const FindingType = builder.objectRef<Finding>('RuleFinding').implement({
  description: 'What a rule would have against a response.',
  fields: (t) => ({
    severity: t.field({ type: madeOfSettings('RuleSeverity'), resolve: ({ severity }) => severity }),
    rule: t.exposeString('rule'),
    message: t.exposeString('message'),
    keys: t.exposeStringList('keys'),
  }),
});

const TestedResponseType = builder.objectRef<TestedResponse>('TestedResponse').implement({
  description: 'A response that rules would have something against.',
  fields: (t) => ({
    responseId: t.exposeID('responseId'),
    findings: t.field({ type: [FindingType], resolve: ({ findings }) => findings }),
  }),
});

/** A type that is made of the provider's settings is known by its name alone. */
function madeOfSettings(name: 'RuleInput' | 'RuleSeverity'): 'String' {
  return name as 'String';
}

/** A thousand responses are read and checked by fifty rules: four times fit into an operation. */
const ruleTestCost = 50_000;

mutation('testRules', {
  description:
    'Tries rules on a form’s responses as they are now, oldest first, before they are saved; nothing is changed. For those who may write integrations and read responses.',
  input: (t) => ({
    formId: t.id({ required: true }),
    rules: t.field({ type: [madeOfSettings('RuleInput')], required: true }),
    first: t.int({ description: `How many responses to check, at most and by default ${ruleTestLimits.responses}.` }),
    after: t.string({ description: 'The endCursor of the call before, to go on from there.' }),
  }),
  cost: ruleTestCost,
  payload: { checked: 'Int', endCursor: 'String', rules: [RuleCountType], responses: [TestedResponseType] },
  isLogged: false,
  run: (input, context) => context.services.ruleTests.test(context, input),
});
