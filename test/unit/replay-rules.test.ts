import { describe, expect, test } from 'vitest';
import type { AcceptedEvent, AccountedIntegration } from '../../src/completeness/account.ts';
import type { DeliveryStatus } from '../../src/deliveries/delivery.entity.ts';
import { newId } from '../../src/events/id.ts';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import { restAfter } from '../../src/jobs/pacing.ts';
import { estimatedMs } from '../../src/replays/estimate.ts';
import { readRequest } from '../../src/replays/read-request.ts';
import { replayStatus } from '../../src/replays/replay-status.ts';
import type { ReplayMode } from '../../src/replays/replay-task.ts';
import { shouldReplay } from '../../src/replays/should-replay.ts';
import { openToken, sealToken, type Previewed } from '../../src/replays/token.ts';
import { testSealer } from '../support/sealer.ts';

const integration: AccountedIntegration = {
  id: newId('intg'), organizationId: newId('org'), formId: null, sinceVersion: 2, events: ['response.created', 'response.deleted'], pastEvents: [], isDeleted: false,
};
const event: AcceptedEvent = {
  id: newId('evt'), type: 'response.created', organizationId: integration.organizationId, formId: newId('form'), responseId: newId('resp'),
  position: 1, integrationsVersion: 2, acceptedAt: new Date(0), isErased: false, isQueued: false, recorded: [],
};
const recorded = (status: DeliveryStatus): AcceptedEvent => ({ ...event, recorded: [{ integrationId: integration.id, status }] });
const isSent = (one: AcceptedEvent, mode: ReplayMode, change: Partial<AccountedIntegration> = {}): boolean =>
  shouldReplay(one, { integration: { ...integration, ...change }, task: { mode, eventTypes: ['response.created', 'response.deleted'] } });

describe('what a replay sends', () => {
  test('is what is dead or nowhere; what was delivered only where everything is asked for', () => {
    for (const mode of ['missed', 'everything'] as const) {
      expect([isSent(recorded('dead'), mode), isSent(event, mode)]).toEqual([true, true]);
      expect(isSent(recorded('delivered'), mode)).toBe(mode === 'everything');
    }
  });

  test('is never what is on its way, was canceled, or was not due', () => {
    for (const one of [recorded('pending'), recorded('canceled'), { ...event, isQueued: true }, { ...event, integrationsVersion: 1 }, { ...event, integrationsVersion: null }]) {
      expect(isSent(one, 'everything')).toBe(false);
    }
    expect(isSent({ ...recorded('dead'), type: 'response.amended' }, 'everything')).toBe(false);
    expect(isSent(recorded('delivered'), 'everything', { isDeleted: true })).toBe(false);
  });

  test('is of an erased response only the word that it is erased', () => {
    expect(isSent({ ...recorded('delivered'), isErased: true }, 'everything')).toBe(false);
    expect(isSent({ ...recorded('delivered'), isErased: true, type: 'response.deleted' }, 'everything')).toBe(true);
  });
});

test('how long it takes goes by the slowest of its own rate, the order and the quota', () => {
  const provider = { limits: { batchSize: 100, concurrency: 1, timeoutMs: 1_000 } };
  const quotas = () => [{ name: 'q', perMinute: 60, burst: 1 }];
  expect(estimatedMs({ count: 6_000, rate: 50, provider, settings: {} })).toBe(120_000);
  expect(estimatedMs({ count: 6_000, rate: 500, provider: { ...provider, quotas }, settings: {} })).toBe(60_000);
  expect(estimatedMs({ count: 800, rate: 500, provider: { ...provider, isOrdered: () => true }, settings: {} })).toBe(10_000);
  expect(estimatedMs({ count: 0, rate: 50, provider, settings: {} })).toBe(0);
});

test('a replay is over when all its parts are, and failed where one was not finished', () => {
  const status = (parts: Parameters<typeof replayStatus>[0]['parts'], change = {}) => replayStatus({ isPaused: false, isCanceled: false, parts, ...change });
  expect([status(['done', 'waiting']), status(['running'], { isPaused: true }), status(['done', 'done']), status(['done', 'canceled'])]).toEqual(['running', 'paused', 'done', 'failed']);
  expect([status(['done'], { isPaused: true }), status(['canceled'], { isCanceled: true })]).toEqual(['done', 'canceled']);
});

describe('a request', () => {
  const now = new Date('2026-11-28T00:00:00Z');
  const ask = (change: object) => readRequest({ formId: newId('form'), mode: 'missed', ...change }, now);
  const cursor = (position: number): string => encodeCursor(positionKey(position));

  test('goes from a time or a cursor to another, and never beyond now', () => {
    expect(ask({ after: cursor(5), through: cursor(9) })).toMatchObject({ after: 5, through: 9, since: '1970-01-01T00:00:00.000Z', until: now.toISOString(), rate: 50 });
    expect(ask({ since: new Date('2026-11-01'), until: new Date('2027-01-01') }).until).toBe(now.toISOString());
  });

  test.each([
    [{}, 'Say where it begins'],
    [{ since: now }, 'ends before it begins'],
    [{ after: cursor(5), through: cursor(5) }, 'not behind'],
    [{ after: 'nothing' }, 'no cursor'],
    [{ since: new Date(0), rate: 0 }, 'from 1 to 500'],
    [{ since: new Date(0), rate: 501 }, 'from 1 to 500'],
    [{ formId: 'form_x', since: new Date(0) }, 'no form'],
  ])('is refused: %o', (change, message) => {
    expect(() => ask(change)).toThrow(message);
  });
});

describe('a token', () => {
  const bearer = { organizationId: newId('org'), userId: newId('usr') };
  const { since, until, ...rest } = readRequest({ formId: newId('form'), mode: 'missed', since: new Date(0) }, new Date(1_000));
  const previewed: Previewed = { replayId: newId('rpl'), task: { ...rest, since, until, after: 0, through: 9 }, events: 3, endpoints: [{ integrationId: integration.id, count: 2, reachesPeople: false }], expiresAt: 2_000 };
  const token = sealToken(testSealer, bearer, previewed);

  test('gives back what was shown, to whom it was shown, until it is over', () => {
    expect(openToken(testSealer, bearer, { token, now: new Date(1_999) })).toEqual(previewed);
    expect(openToken(testSealer, bearer, { token, now: new Date(2_000) })).toBeUndefined();
    expect(openToken(testSealer, { ...bearer, userId: newId('usr') }, { token, now: new Date(0) })).toBeUndefined();
    expect(openToken(testSealer, { ...bearer, organizationId: newId('org') }, { token, now: new Date(0) })).toBeUndefined();
  });

  test('that was changed, or is none, is nothing', () => {
    for (const text of ['', 'x', token.slice(0, -4), Buffer.from('sealed:1:x:y').toString('base64url')]) expect(openToken(testSealer, bearer, { token: text, now: new Date(0) })).toBeUndefined();
  });
});

test('a step rests until its rate is kept, and as long as it worked', () => {
  expect(restAfter({ made: 100, rate: 500, tookMs: 30 })).toBe(170);
  expect(restAfter({ made: 100, rate: 500, tookMs: 150 })).toBe(150);
  expect(restAfter({ made: 0, rate: 50, tookMs: 12 })).toBe(12);
});
