import { expect, test, vi } from 'vitest';
import type { Outcome } from '../../../integrations/provider.ts';
import { mobileOf, sampleEvent } from '../sample.ts';
import type { Manner, Subject } from '../service.ts';
import { setUp } from './set-up.ts';
import { sentence } from './settings.ts';

const manners: Manner[] = [
  { kind: 'accepts' }, { kind: 'refuses' }, { kind: 'fails', applied: false }, { kind: 'throttles' }, { kind: 'throttles', seconds: 7 },
  { kind: 'drops', applied: false }, { kind: 'babbles', applied: false }, { kind: 'hangs', applied: false },
];

/** What an owner may read of a delivery, and what nobody may. */
export function describeSecrecy<Settings>(subject: Subject<Settings>): void {
  const { provider } = subject;

  test('every reason is a sentence, and nothing that is shown, logged or noted has a secret in it', async () => {
    using output = captureOutput();
    const at = await setUp(subject, { connected: false });
    const { service, context, deliverOne } = at;
    const events = Array.from({ length: manners.length + 2 }, () => sampleEvent());
    const outcomes: unknown[] = [];
    const reasons: string[] = [];
    const keep = (outcome: Outcome | { status: 'done' }): void => {
      outcomes.push(outcome);
      if ('reason' in outcome) reasons.push(outcome.reason);
    };
    const limit = () => ({ signal: AbortSignal.timeout(100) });
    for (const manner of manners.toReversed()) {
      service.behave(manner);
      if (provider.connect) keep(await provider.connect(context(limit())));
    }
    for (const [index, manner] of manners.entries()) {
      service.behave(manner);
      keep(await deliverOne({ event: events[index]! }, manner.kind === 'hangs' ? limit() : {}));
    }
    keep(await deliverOne({ event: events.at(-2)! }, { signal: AbortSignal.abort() }));
    await service.end();
    keep(await deliverOne({ event: events.at(-1)! }));
    if (provider.disconnect) keep(await provider.disconnect(context(limit())));

    expect(reasons.length).toBeGreaterThan(manners.length);
    for (const reason of reasons) expect(reason).toMatch(sentence);
    const logged = [JSON.stringify(at.logged), output.text()].join('\n');
    const shown = [JSON.stringify([outcomes, at.tracked, at.noted, provider.quotas?.(context().settings) ?? []]), logged].join('\n');
    const hidden = [...service.secrets, ...(service.confidential ?? []), ...context().secrets];
    expect(hidden.length).toBeGreaterThan(0);
    for (const secret of hidden) expect(shown).not.toContain(secret);
    for (const event of events) for (const text of [mobileOf(event), 'Zoë']) expect([...reasons, logged].join('\n')).not.toContain(text);
  });
}

/** All that is written to the terminal or to the console, until its scope ends. */
function captureOutput(): { text(): string } & Disposable {
  const lines: string[] = [];
  const keep = (...parts: unknown[]): true => (lines.push(parts.map(String).join(' ')), true);
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(keep),
    vi.spyOn(process.stderr, 'write').mockImplementation(keep),
    ...(['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name).mockImplementation(keep)),
  ];
  return { text: () => lines.join('\n'), [Symbol.dispose]: () => spies.forEach((spy) => spy.mockRestore()) };
}
