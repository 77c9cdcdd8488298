import { once } from 'node:events';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands before several APIs as one does in service: connections are kept, nothing is tried again. */
export interface LoadBalancer extends AsyncDisposable {
  url: string;
}

const lookEveryMs = 50;

/** Gives requests in turn to those whose `/readyz` said last that they are ready. */
export async function startLoadBalancer(urls: readonly string[]): Promise<LoadBalancer> {
  const agent = new Agent({ keepAlive: true });
  let ready = [...urls];
  let turn = 0;
  const look = async (): Promise<void> => {
    const isReady = await Promise.all(urls.map((url) => fetch(`${url}/readyz?role=api`).then(({ ok }) => ok, () => false)));
    ready = urls.filter((_, index) => isReady[index]);
  };
  const looking = setInterval(() => void look(), lookEveryMs);
  const server = createServer((incoming, outgoing) => {
    const url = ready[(turn += 1) % Math.max(1, ready.length)];
    if (url === undefined) fail(outgoing, 503);
    else pass(incoming, outgoing, { url, agent });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      clearInterval(looking);
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse, { url, agent }: { url: string; agent: Agent }): void {
  const { connection: _, ...headers } = incoming.headers; // of this hop only
  const sent = request(`${url}${incoming.url ?? ''}`, { method: incoming.method, agent, headers }, (answer) => {
    const { connection: __, ...answered } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, answered);
    answer.pipe(outgoing);
    answer.on('error', () => outgoing.destroy());
  });
  sent.on('error', () => fail(outgoing, 502));
  outgoing.on('close', () => sent.destroy());
  incoming.pipe(sent);
}

function fail(outgoing: ServerResponse, status: number): void {
  if (outgoing.headersSent) outgoing.destroy();
  else outgoing.writeHead(status, { 'content-type': 'application/json' }).end('{"errors":[{"message":"The load balancer has no answer."}]}');
}
