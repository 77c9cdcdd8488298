import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where to listen, and the variables of the configuration that say so. */
export interface Address {
  host: string;
  port: number;
  /** Default: PORT. */
  portVariable?: string;
}

/** Throws a sentence for people where nothing can listen there: to be asked before anything is begun. */
export async function checkAddress(address: Address): Promise<void> {
  const probe = createServer();
  await listen(probe, address);
  await close(probe, 0);
}

/** Listens; throws a sentence for people where that is impossible. */
export function listen(server: Server, address: Address): Promise<{ url: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(new Error(whyNotListening(error, address), { cause: error }));
    server.once('error', fail);
    server.listen(address.port, address.host, () => {
      server.off('error', fail);
      const bound = server.address() as AddressInfo; // a TCP server that listens has one
      resolve({ url: `http://${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}` });
    });
  });
}

function whyNotListening({ code = '', message }: NodeJS.ErrnoException, { host, port, portVariable = 'PORT' }: Address): string {
  if (code === 'EADDRINUSE') return `Port ${port} is in use, perhaps by another Formwire: stop it, or set ${portVariable}.`;
  if (code === 'EACCES') return `Port ${port} is not open to this user: set ${portVariable} to one from 1024 on.`;
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'].includes(code)) {
    return `HOST ${host} is no address of this machine: set HOST to one that is, such as 127.0.0.1, or to 0.0.0.0 for all.`;
  }
  return `Nothing can listen at HOST ${host}, ${portVariable} ${port}: ${message}`;
}

/** Stops accepting, lets requests under way finish for a while, then closes what is left. */
export function close(server: Server, closeMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const timer = setTimeout(() => server.closeAllConnections(), closeMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
