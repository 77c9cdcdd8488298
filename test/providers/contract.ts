import { describe } from 'vitest';
import { describeBackground } from './contract/background.ts';
import { describeConnecting } from './contract/connecting.ts';
import { describeDelivering } from './contract/delivering.ts';
import { describeRepeating } from './contract/repeating.ts';
import { describeSecrecy } from './contract/secrecy.ts';
import { describeSettings } from './contract/settings.ts';
import { setUp } from './contract/set-up.ts';
import type { Subject } from './service.ts';

export { describeChecking } from './contract/checking.ts';
export { sampleEvent } from './sample.ts';

/**
 * What every provider that delivers must keep, run against a local server that speaks for the outside service. The
 * dispatcher relies on each of these; a provider's own tests add what is special to it.
 */
export function describeProvider<Settings>(subject: Subject<Settings>): void {
  const { provider } = subject;
  describe(`${provider.name} keeps the providers' contract:`, () => {
    describeSettings(provider, async () => (await setUp(subject, { connected: false })).service);
    describeDelivering(subject);
    describeRepeating(subject);
    describeConnecting(subject);
    describeBackground(subject);
    describeSecrecy(subject);
  });
}
