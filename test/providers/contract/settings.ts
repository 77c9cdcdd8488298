import { expect, test } from 'vitest';
import { z } from 'zod';
import type { Provider } from '../../../integrations/provider.ts';
import { eventTypes } from '../../../src/events/event.ts';
import { mapSecrets } from '../../../src/integrations/secret-members.ts';
import { sampleForm } from '../sample.ts';
import { deepFrozen } from './set-up.ts';

/** What a provider says of itself, and what it takes for settings. */
export function describeSettings<Settings>(provider: Provider<Settings>, open: () => Promise<{ settings: Settings; secrets: readonly string[] }>): void {
  test('it says what it is', () => {
    expect(provider.name).toMatch(/^[a-z][A-Za-z0-9]{0,39}$/);
    expect(provider.title).toMatch(/^\S.{0,59}$/);
    expect(provider.description).toMatch(/^[A-Z].{9,299}\.$/);
    expect(provider.deliver ?? provider.prepareCheck).toBeTypeOf('function');
    expect(eventTypes).toEqual(expect.arrayContaining([...(provider.defaultEvents ?? [])]));
  });

  test('its limits are numbers that a lane can work with', () => {
    const { batchSize, batchBytes = 1, batchWaitMs = 0, concurrency, timeoutMs } = provider.limits;
    for (const count of [batchSize, batchBytes, concurrency, timeoutMs]) expect(count).toSatisfy((value: number) => Number.isSafeInteger(value) && value >= 1);
    expect(batchWaitMs).toBeGreaterThanOrEqual(0);
    expect(batchWaitMs).toBeLessThan(timeoutMs);
  });

  test('its settings are the same when stored as JSON and parsed again', async () => {
    const { settings } = await open();
    expect(provider.settings.parse(JSON.parse(JSON.stringify(settings)))).toEqual(settings);
  });

  test('its settings have a JSON Schema', () => {
    expect(z.toJSONSchema(provider.settings, { io: 'input' })).toMatchObject({ type: 'object', properties: expect.any(Object) });
  });

  test('secrets in its settings are marked as such', async () => {
    const { settings, secrets } = await open();
    const shown = JSON.stringify(mapSecrets(provider.settings, settings, () => '…'));
    for (const secret of secrets) expect(JSON.stringify(settings)).toContain(JSON.stringify(secret).slice(1, -1));
    for (const secret of secrets) expect(shown).not.toContain(JSON.stringify(secret).slice(1, -1));
  });

  test('it finds nothing amiss with settings that fit the form, and never throws at other forms', async () => {
    const settings = deepFrozen((await open()).settings);
    expect(provider.unfit?.(settings, sampleForm) ?? []).toEqual([]);
    for (const form of [{ ...sampleForm, questions: [] }, { ...sampleForm, questions: sampleForm.questions.map((question) => ({ ...question, kind: 'BOOLEAN' as const })) }]) {
      const faults = provider.unfit?.(settings, deepFrozen(form)) ?? [];
      expect(provider.unfit?.(settings, form) ?? []).toEqual(faults);
      for (const { message } of faults) expect(message).toMatch(sentence);
    }
  });

  test.runIf(provider.quotas)('its quotas can be kept, and are named without secrets', async () => {
    const { settings, secrets } = await open();
    const quotas = provider.quotas?.(settings) ?? [];
    for (const { name, perMinute, burst } of quotas) {
      expect(name).toMatch(/^[a-z]+:/);
      expect(perMinute).toBeGreaterThan(0);
      expect(burst).toBeGreaterThanOrEqual(1);
      for (const secret of secrets) expect(name).not.toContain(secret);
    }
    expect(provider.quotas?.(settings)).toEqual(quotas);
  });

  test.runIf(provider.createSecret)('every secret it makes is another one', () => {
    const made = Array.from({ length: 10 }, () => provider.createSecret?.());
    expect(new Set(made).size).toBe(10);
    for (const secret of made) expect(secret?.length).toBeGreaterThanOrEqual(24);
  });
}

/** What an owner is told: it begins like one and ends like one. */
export const sentence = /^[\p{Lu}\p{N}"'“].*[.!?]["”]?$/su;
