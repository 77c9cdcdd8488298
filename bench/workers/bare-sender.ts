import { Pool } from 'undici';
import { signatures } from '../../integrations/webhook/sign.ts';
import { newId } from '../../src/events/id.ts';
import { answerBench } from '../workers.ts';

export interface Sending {
  url: string;
  secret: string;
  /** Taken in turn. */
  bodies: string[];
  count: number;
  concurrency: number;
}

/** Signs and posts, and does nothing else: no stream, no record, no limits. Answers posts a second. */
async function send({ url, secret, bodies, count, concurrency }: Sending): Promise<number> {
  const { origin, pathname } = new URL(url);
  const pool = new Pool(origin, { connections: concurrency });
  const bytes = bodies.map((body) => Buffer.from(body));
  let sent = 0;
  const from = performance.now();
  const loop = async (): Promise<void> => {
    while (sent < count) {
      const body = bytes[sent++ % bytes.length] ?? Buffer.alloc(0);
      const id = newId('evt');
      const timestamp = Math.floor(Date.now() / 1_000);
      const headers = {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signatures({ id, timestamp, body }, [secret]),
      };
      const reply = await pool.request({ method: 'POST', path: pathname, headers, body });
      await reply.body.dump();
      if (reply.statusCode !== 200) throw new Error(`The receiver answered ${reply.statusCode}.`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  const rate = (count / (performance.now() - from)) * 1_000;
  await pool.close();
  return rate;
}

answerBench({ send });
