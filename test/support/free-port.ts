import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Linux gives its own connections ports from 32,768 on: one from there may be anybody's when its server comes back. */
const lowest = 20_000;
const highest = 32_000;
/** Each worker of Vitest takes from ports of its own: between the look and the start, another one would find the same. */
const workers = 16;
const worker = Number(process.env['VITEST_POOL_ID'] ?? 0) % workers;
const given = new Set<number>();

/** A port that was free a moment ago: for servers that must come back at the same one, or are told each other's. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(lowest / workers, highest / workers) * workers + worker;
    if (given.has(port) || !(await isFree(port))) continue;
    given.add(port);
    return port;
  }
  throw new Error(`There is no free port from ${lowest} to ${highest}`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
