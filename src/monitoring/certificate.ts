import { isIP } from 'node:net';
import { connect } from 'node:tls';
import { Gauge, type Registry } from 'prom-client';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';

const timeoutMs = 10_000;

/** Until when the certificate holds that a server shows, in seconds since 1970. Throws where it shows none in ten seconds. */
export function readCertificateExpiry(url: URL): Promise<number> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = url;
    const host = hostname.replace(/^\[|\]$/g, '');
    // one that has expired already, or that nobody here has signed, has its date all the same
    const socket = connect({ host, port: Number(port || 443), ...(isIP(host) === 0 && { servername: host }), rejectUnauthorized: false, timeout: timeoutMs });
    socket.once('secureConnect', () => {
      resolve(Date.parse(socket.getPeerCertificate().valid_to) / 1_000);
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no certificate within ${timeoutMs / 1_000} s`)));
    socket.once('error', reject);
  });
}

/** Looks now and then at the certificate under the address where outside services reach the API. */
export function createCertificateWatch(registry: Registry, { url, everyMs, log }: { url: URL; everyMs: number; log: Log }): Runnable & { look(): Promise<void> } {
  const expiry = new Gauge({ registers: [registry], name: 'formwire_certificate_expiry_seconds', help: 'When the certificate of FORMWIRE_PUBLIC_URL expires, in seconds since 1970.', labelNames: ['host'] });
  const look = async (): Promise<void> => expiry.set({ host: url.host }, await readCertificateExpiry(url));
  return {
    name: 'certificate',
    look,
    run: (signal) => repeat({ step: look, everyMs, onError: (error) => log.warn({ host: url.host, err: error }, 'certificate.not_read'), signal }),
  };
}
