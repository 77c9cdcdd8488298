import { request, type IncomingMessage } from 'node:http';
import { expect } from 'vitest';

/** One event of a subscription over server-sent events. */
export interface Told {
  id: string | undefined;
  /** When to come back, in milliseconds, where the event says so. */
  retryMs?: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
  result: any;
}

/** A subscriber over server-sent events, on a connection of its own. */
export interface SseSubscriber {
  told: Told[];
  /** The cursor of the last one. */
  lastId(): string | undefined;
  /** Whether it was told that nothing more comes. */
  isComplete(): boolean;
  isClosed(): boolean;
  status(): number;
  pause(): void;
  resume(): void;
  /** Breaks the connection, as a network does. */
  disconnect(): void;
  /** Waits until it has been told so many results. */
  until(count: number): Promise<Told[]>;
  completed(): Promise<Told[]>;
}

export interface Subscription {
  query: string;
  variables?: Record<string, unknown>;
}

/** Subscribes; resolves when the answer has begun. */
export async function subscribeOverSse(
  url: string,
  { query, variables, token, lastEventId }: Subscription & { token?: string | undefined; lastEventId?: string | undefined },
): Promise<SseSubscriber> {
  const told: Told[] = [];
  let isComplete = false;
  let isClosed = false;
  let text = '';

  const take = (block: string): void => {
    const fields = new Map(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()]));
    if (fields.get('event') === 'next') told.push({ id: fields.get('id'), result: JSON.parse(fields.get('data') ?? ''), ...(fields.has('retry') && { retryMs: Number(fields.get('retry')) }) });
    if (fields.get('event') === 'complete') isComplete = true;
  };
  const body = JSON.stringify({ query, variables });
  const sent = request(`${url}/graphql`, {
    method: 'POST',
    agent: false,
    headers: {
      'content-type': 'application/json', accept: 'text/event-stream', 'content-length': Buffer.byteLength(body),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    },
  });
  const response = await new Promise<IncomingMessage>((resolve, reject) => sent.once('response', resolve).once('error', reject).end(body));
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const blocks = (text + chunk).split('\n\n');
    text = blocks.pop() ?? '';
    blocks.forEach(take);
  });
  response.on('error', () => undefined).once('close', () => (isClosed = true));
  const within = { timeout: 20_000, interval: 10 };
  return {
    told,
    lastId: () => told.findLast(({ id }) => id !== undefined)?.id,
    isComplete: () => isComplete,
    isClosed: () => isClosed,
    status: () => response.statusCode ?? 0,
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    disconnect: () => void sent.destroy(),
    until: async (count) => {
      await expect.poll(() => told.length, within).toBeGreaterThanOrEqual(count);
      return told;
    },
    completed: async () => {
      await expect.poll(() => isComplete || isClosed, within).toBe(true);
      return told;
    },
  };
}
