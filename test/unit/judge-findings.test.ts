import { describe, expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import type { IntegrationFinding } from '../../src/integrations/response-checks.ts';
import { judgeFindings } from '../../src/responses/judge-findings.ts';

const integrationId = newId('intg');
const finding = (members: Partial<IntegrationFinding> = {}): IntegrationFinding => ({ severity: 'flag', rule: 'affordable', message: 'Too much.', keys: ['spent'], integrationId, ...members });
const places = new Map([['spent', 2], ['income', 0]]);
const judge = (...findings: IntegrationFinding[]) => judgeFindings(findings, (key) => places.get(key));

describe('what checks have found', () => {
  test('is nothing: no flags and no faults', () => {
    expect(judge()).toEqual({ flags: null, faults: [] });
  });

  test('flags, and stays with the response as it was said', () => {
    expect(judge(finding())).toEqual({ flags: [{ rule: 'affordable', message: 'Too much.', keys: ['spent'], integrationId }], faults: [] });
  });

  test('refuses, at the first answer that was sent to one of its questions', () => {
    expect(judge(finding({ severity: 'refuse', keys: ['savings', 'spent', 'income'] }))).toEqual({
      flags: null, faults: [{ code: 'RULE_BROKEN', message: 'Too much.', path: ['answers', 0] }],
    });
  });

  test.each([[[]], [['savings']]])('refuses, at all answers where none of its questions was answered: %j', (keys) => {
    expect(judge(finding({ severity: 'refuse', keys })).faults).toMatchObject([{ path: ['answers'] }]);
  });

  test('is some of both: all of them, each where it belongs', () => {
    const { flags, faults } = judge(finding({ rule: 'a' }), finding({ severity: 'refuse' }), finding({ rule: 'b' }));
    expect(flags?.map(({ rule }) => rule)).toEqual(['a', 'b']);
    expect(faults).toHaveLength(1);
  });

  test('can be stored, whatever its message is made of', () => {
    expect(judge(finding({ message: 'a\u0000b\ud800' })).flags).toMatchObject([{ message: 'ab\ufffd' }]);
  });

  test('has 32,000 characters of messages in all; what comes after names its rule alone', () => {
    const long = finding({ message: 'x'.repeat(16_000) });
    const messages = judge(long, long, finding(), finding({ rule: 'last', message: '.' })).flags?.map(({ message }) => message.slice(0, 30));
    expect(messages).toEqual(['x'.repeat(30), 'x'.repeat(30), 'The rule "affordable" does not', 'The rule "last" does not hold.']);
  });
});
