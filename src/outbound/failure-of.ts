import { errors } from 'undici';
import type { HttpReply } from '../../integrations/provider.ts';
import { AddressRefusedError } from './checked-connector.ts';

export type HttpFailure = Extract<HttpReply, { kind: 'failure' }>;

/** Makes a failure as a value, of what was not sent. `message` is a sentence for the integration's owner. */
export function failure(error: HttpFailure['error'], message: string): HttpFailure {
  return { kind: 'failure', error, message, isSent: false };
}

/** The same of an address that must not be reached, by a setting of this process alone or by all of them. */
export const addressRefused = (message: string, { isOurSetting }: { isOurSetting: boolean }): HttpFailure => ({ ...failure('ADDRESS_REFUSED', message), ...(isOurSetting && { isOurSetting }) });

/**
 * Tells what an error of undici, of a socket or of TLS means to the integration's owner; undefined where it is a fault
 * of ours. The message names the host and never the path or the headers, which may hold secrets.
 */
export function failureOf(error: unknown, host: string): HttpFailure | undefined {
  if (error instanceof errors.HTTPParserError) return invalidReply(host, 'not HTTP/1.1');
  const code = codeOf(error);
  if (code === undefined || ourFaults.has(code)) return undefined;
  if (error instanceof AddressRefusedError) {
    return addressRefused(`${host} ${error.message}, which integrations may not reach.`, error);
  }
  if (code === 'UND_ERR_CLOSED' || code === 'UND_ERR_DESTROYED') return failure('ABORTED', 'This server is shutting down.');
  if (timeouts.has(code)) return failure('TIMEOUT', `Could not connect to ${host} in time.`);
  if (tlsPattern.test(code)) return failure('TLS', `The TLS certificate or handshake of ${host} failed (${code}).`);
  const fault = replyFault(error, code);
  if (fault !== undefined) return invalidReply(host, fault);
  return failure('CONNECTION', connectionMessage(code, host));
}

function connectionMessage(code: string, host: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return `${host} refused the connection.`;
    case 'ENOTFOUND':
      return `The name of ${host} does not exist.`;
    case 'EAI_AGAIN':
      return `The name of ${host} could not be looked up just now.`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${host} closed the connection before its reply was complete.`;
    default:
      return `The connection to ${host} failed (${code}).`;
  }
}

const timeouts = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT']);
const ourFaults = new Set(['UND_ERR_INVALID_ARG', 'UND_ERR_NOT_SUPPORTED', 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH']);

/** Codes of node:tls and of OpenSSL's certificate verification. Source: Node.js, "TLS", X509 certificate error codes. */
const tlsPattern =
  /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|ERROR_IN_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_|PATH_LENGTH_|HOSTNAME_MISMATCH|EPROTO)/;

const invalidReply = (host: string, fault: string): HttpFailure =>
  failure('RESPONSE_INVALID', `${host} sent an invalid reply: ${fault}.`);

function replyFault(error: unknown, code: string): string | undefined {
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'its headers are too long';
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') return 'its length is not the one it states';
  // undici has one code for a lost socket and for a reply nobody asked for (an upgrade, a 100).
  const isUnasked = code === 'UND_ERR_SOCKET' && error instanceof Error && error.message.startsWith('bad ');
  return isUnasked ? 'nothing asked for it' : undefined;
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
