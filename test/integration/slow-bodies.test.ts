import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Agent, request } from 'undici';
import { describe, expect, test } from 'vitest';
import type { ApiLimits } from '../../src/api/limits.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

const body = (bytes: number) => {
  const empty = JSON.stringify({ query: '{ __typename }', extensions: { pad: '' } });
  return empty.replace('"pad":""', `"pad":"${'x'.repeat(bytes - empty.length)}"`);
};

/** A client of an address of its own that sends its body as slowly as it likes. */
async function slow({ url }: TestApi, options: { length: number; localAddress?: string }): Promise<{ socket: Socket; reply: Promise<string> }> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress: options.localAddress ?? '127.0.0.1' });
  await once(socket, 'connect');
  socket.write(`POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${options.length}\r\n\r\n`);
  const reply = (async () => {
    let received = '';
    for await (const chunk of socket) received += chunk;
    return received;
  })().catch(() => 'reset');
  return { socket, reply };
}

const start = (limits: Partial<ApiLimits>) => startTestApi({ limits });
const statusFrom = async ({ url }: TestApi, localAddress: string, text: string): Promise<number> => {
  const dispatcher = new Agent({ localAddress });
  const { statusCode, body: answer } = await request(`${url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: text, dispatcher });
  await answer.dump();
  await dispatcher.close();
  return statusCode;
};

describe('a body that comes slowly', () => {
  test('is cut off when nothing comes for too long', async () => {
    await using api = await start({ bodyQuietMs: 200 });
    const { socket, reply } = await slow(api, { length: 1_000 });
    socket.write('{');
    expect(await reply).toMatch(/^HTTP\/1.1 408 [\s\S]*BODY_TOO_SLOW/);
  });

  test('is cut off when less comes than must, and not while enough comes', async () => {
    await using api = await start({ bodyQuietMs: 400, bodyBytesPerSecond: 1_000 });
    const trickling = async (bytes: number, text: string) => {
      const { socket, reply } = await slow(api, { length: text.length });
      let sent = 0;
      const timer = setInterval(() => {
        if (socket.writable) socket.write(text.slice(sent, (sent += bytes)));
        if (sent >= text.length) {
          clearInterval(timer);
          setTimeout(() => socket.end(), 200);
        }
      }, 50);
      const answer = await reply;
      clearInterval(timer);
      return answer;
    };
    const [tooSlow, enough] = await Promise.all([trickling(2, body(1_000)), trickling(200, body(4_000))]);
    expect(tooSlow).toMatch(/^HTTP\/1.1 408 /);
    expect(enough).toMatch(/^HTTP\/1.1 200 /);
  });

  test('takes the share of its address, and leaves others theirs', async () => {
    await using api = await start({ addressBufferedBytes: 30_000 });
    const holders = await Promise.all([slow(api, { length: 20_000 }), slow(api, { length: 20_000 })]);
    for (const { socket } of holders) socket.write('{"a":"'.padEnd(10_000, 'x'));
    const statusOf = (address: string, bytes: number) => statusFrom(api, address, body(bytes));
    await expect.poll(() => statusOf('127.0.0.1', 10_001)).toBe(503); // both have arrived
    expect(await statusOf('127.0.0.1', 10_000)).toBe(200);
    expect(await statusOf('127.0.0.2', 30_000)).toBe(200);
    expect(await statusOf('127.0.0.2', 30_001)).toBe(503);
    for (const { socket } of holders) socket.destroy();
    await expect.poll(() => statusOf('127.0.0.1', 30_000)).toBe(200);
  });

  test('gives way to the next when the memory for all is used up, the slowest first', async () => {
    await using api = await start({ bufferedBytes: 50_000 });
    const slowest = await slow(api, { length: 40_000, localAddress: '127.0.0.2' });
    slowest.socket.write('{"a":"'.padEnd(20_000, 'x'));
    const quicker = await slow(api, { length: 40_000, localAddress: '127.0.0.3' });
    quicker.socket.write('{"a":"'.padEnd(30_000, 'x'));
    await expect.poll(() => statusFrom(api, '127.0.0.1', body(1_000)), { timeout: 10_000, interval: 100 }).toBe(200);
    expect(await slowest.reply).toMatch(/^HTTP\/1.1 503 [\s\S]*OVERLOADED/);
    quicker.socket.write(`${'x'.repeat(9_998)}"}`);
    setTimeout(() => quicker.socket.end(), 200);
    expect(await quicker.reply).toMatch(/^HTTP\/1.1 400 /); // no query in it, but read to its end
  });
});
