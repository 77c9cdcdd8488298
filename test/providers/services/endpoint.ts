import type { Event } from '../../../src/events/event.ts';
import { startReceiver, type Behaviour, type ReceivedRequest } from '../../support/receiver.ts';
import type { Manner, Service } from '../service.ts';

export interface EndpointOptions<Settings> extends Pick<Service<Settings>, 'secrets' | 'confidential' | 'context'> {
  settingsFor(url: string): Settings;
  /** What a receiver knows a repeat by; it must be the event's id. */
  keyOf(request: ReceivedRequest): string | undefined;
}

/**
 * A URL that events are posted to, for providers that do no more than that. It drops repeats by their key, as every
 * receiver of webhooks has to, and counts a repeat with other bytes as something else.
 */
export async function startEndpoint<Settings>(options: EndpointOptions<Settings>): Promise<Service<Settings>> {
  const { settingsFor, keyOf, ...rest } = options;
  let manner: Manner = { kind: 'accepts' };
  const taken: ReceivedRequest[] = [];
  const receiver = await startReceiver({
    respond: (request) => {
      if (isTaken(manner)) taken.push(request);
      return behaviourOf(manner);
    },
  });
  return {
    ...rest,
    settings: settingsFor(receiver.url),
    behave: (next) => void (manner = next),
    effectsOf: ({ id }: Event) => new Set(taken.filter((request) => keyOf(request) === id).map(({ body }) => body.toString('base64'))).size,
    requestCount: () => receiver.requests.length,
    end: () => receiver.close(),
    [Symbol.asyncDispose]: () => receiver.close(),
  };
}

const isTaken = (manner: Manner): boolean => manner.kind === 'accepts' || ('applied' in manner && manner.applied);

function behaviourOf(manner: Manner): Behaviour {
  switch (manner.kind) {
    case 'accepts':
      return 202;
    case 'refuses':
      return 410;
    case 'fails':
      return { status: 500, body: 'oh no' };
    case 'throttles':
      return { status: 429, ...(manner.seconds !== undefined && { headers: { 'retry-after': String(manner.seconds) } }) };
    case 'hangs':
      return 'hang';
    case 'drips':
      return 'drip';
    case 'drops':
      return 'reset';
    case 'babbles':
      return { raw: 'NOPE\r\n\r\n' };
  }
}
