import { describe, expect, test } from 'vitest';
import { deepFrozen } from './set-up.ts';
import { describeSettings } from './settings.ts';
import { sampleAnswers, sampleForm } from '../sample.ts';
import type { CheckingSubject } from '../service.ts';

/** A form that changed under the settings: nothing they speak of is there any more. */
const otherForm = { ...sampleForm, version: 2, questions: [] };

/** A finding is stored with the response and sent with its events, whatever was answered. */
const maxMessageLength = 4_000;

/** What a provider must keep that looks at responses before they are accepted. */
export function describeChecking<Settings>({ provider, settings }: CheckingSubject<Settings>): void {
  describe(`${provider.name} keeps the contract of checks:`, () => {
    describeSettings(provider, async () => ({ settings, secrets: [] }));

    const prepare = (form = sampleForm) => {
      if (!provider.prepareCheck) throw new Error(`${provider.name} checks nothing`);
      return provider.prepareCheck(deepFrozen(settings), deepFrozen(form));
    };
    const keys = sampleForm.questions.map(({ key }) => key);
    const odd = [-1, 0, 1e308, '', 'a'.repeat(50_000), '\u0000', true, [], ['Pune'], null];

    test('the same answers have the same findings, and are left as they are', () => {
      const answers = new Map(sampleAnswers);
      const check = prepare();
      expect(check(answers)).toEqual(check(answers));
      expect(prepare()(answers)).toEqual(check(answers));
      expect(answers).toEqual(sampleAnswers);
    });

    test('no answers, odd answers, answers of another kind: it never throws, and its findings are well-formed', () => {
      const check = prepare();
      const scopes = [new Map(), ...odd.flatMap((value) => keys.map((key) => new Map([...sampleAnswers, [key, value]]))), ...odd.map((value) => new Map(keys.map((key) => [key, value])))];
      const findings = scopes.flatMap((scope) => check(scope));
      expect(findings.length).toBeGreaterThan(0);
      for (const finding of findings) {
        expect(finding).toMatchObject({ severity: expect.stringMatching(/^(flag|refuse)$/), rule: expect.stringMatching(/./), message: expect.stringMatching(/\S/) });
        expect(finding.message.length).toBeLessThanOrEqual(maxMessageLength);
        expect(keys).toEqual(expect.arrayContaining([...finding.keys]));
      }
    });

    test('what cannot be checked any more is a finding, and not silence', () => {
      expect(provider.unfit?.(settings, otherForm)).not.toEqual([]);
      expect(prepare(otherForm)(sampleAnswers)).not.toEqual([]);
    });

    test('a check takes microseconds, whatever was answered', () => {
      const check = prepare();
      const worst = new Map(keys.map((key) => [key, 'a'.repeat(50_000)]));
      const began = process.cpuUsage();
      for (let count = 0; count < 500; count += 1) [sampleAnswers, worst].forEach(check);
      const { user } = process.cpuUsage(began);
      expect(user / 1_000).toBeLessThan(1_000);
    });
  });
}
