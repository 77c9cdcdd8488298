import { rootCertificates } from 'node:tls';
import manifest from '../../package.json' with { type: 'json' };
import type { HttpClient, HttpExchange, HttpPost, HttpReply } from '../../integrations/provider.ts';
import { whyParsedUrlRefused, widestRules, type AddressRules } from './address-policy.ts';
import { createCheckedConnector, type Resolve } from './checked-connector.ts';
import { abortFailure, Exchange, type ExchangeOptions } from './exchange.ts';
import { addressRefused, failure } from './failure-of.ts';
import { createOriginPools, type OriginPools } from './origin-pools.ts';

export interface HttpClientOptions {
  policy: AddressRules;
  /** Default 512: lanes bound the posts in flight; this bounds what many integrations of one receiver add up to. */
  maxConnectionsPerOrigin?: number;
  /** Default 1,000. More origins than that keep no idle sockets. */
  maxIdleOrigins?: number;
  /** Looking the name up, TCP and TLS together. Default 5,000. */
  connectTimeoutMs?: number;
  /** How much of a reply is read before its socket is closed. Default 65,536. */
  maxResponseBytes?: number;
  /** Trusted beside the usual ones, in PEM. */
  certificateAuthorities?: readonly string[];
  /** Default: the system's resolver. */
  resolve?: Resolve;
}

export type ClosableHttpClient = HttpClient & {
  /** Refuses further posts, waits for those in flight (abort their signals to hurry) and closes every socket. */
  close(): Promise<void>;
  /** How many origins hold sockets now, for metrics. */
  originCount(): number;
};

const replyTextBytes = { default: 4_096, most: 1_048_576 };
const userAgent = `Formwire/${manifest.version}`;

/**
 * Makes the HTTP client that everything outbound goes through: connections are reused, addresses are checked where they
 * are connected to, redirects are answers like any other, and replies are bounded in time and in bytes. What the world
 * does is a value; only a fault of ours rejects, for example a line break in a header. Of a post, a connection that is lost
 * before the reply's first byte is tried once more at once, within the same time limit.
 */
export function createHttpClient(options: HttpClientOptions): ClosableHttpClient {
  const { policy, maxResponseBytes = 65_536 } = options;
  const pools = openPools(options);
  let isClosed = false;

  async function call(request: HttpExchange, { repeats }: { repeats: boolean }): Promise<HttpReply> {
    const url = URL.parse(request.url);
    if (url === null) return failure('ADDRESS_REFUSED', 'This is not a URL.');
    const { origin, host, pathname, search } = url;
    const refusal = whyParsedUrlRefused(url, policy);
    if (refusal !== undefined) return addressRefused(refusal, { isOurSetting: whyParsedUrlRefused(url, widestRules) === undefined });
    if (request.signal.aborted) return abortFailure({ request, host });
    if (isClosed) return failure('ABORTED', 'This server is shutting down.');

    const body = request.method === 'GET' ? null : request.body;
    const message = { path: pathname + search, method: request.method, headers: headerLines(request.headers), body };
    const dispatch: ExchangeOptions['dispatch'] = (exchange) => pools.poolOf(origin).dispatch(message, exchange);
    const maxReplyTextBytes = Math.min(request.maxReplyBytes ?? replyTextBytes.default, replyTextBytes.most);
    const limits = { maxReplyTextBytes, maxResponseBytes: Math.max(maxResponseBytes, maxReplyTextBytes) };
    return new Promise((onReply, onFault) => {
      dispatch(new Exchange({ request, host, dispatch, repeats, ...limits, onReply, onFault }));
    });
  }

  return {
    post: (request) => call({ ...request, method: 'POST' }, { repeats: true }),
    exchange: (request) => call(request, { repeats: false }),
    originCount: () => pools.size(),
    async close() {
      isClosed = true;
      await pools.close();
    },
  };
}

function openPools(options: HttpClientOptions): OriginPools {
  const { policy, resolve, connectTimeoutMs = 5_000, maxConnectionsPerOrigin = 512, maxIdleOrigins = 1_000 } = options;
  const { certificateAuthorities } = options;
  const connect = createCheckedConnector({
    policy,
    connectTimeoutMs,
    ...(resolve === undefined ? {} : { resolve }),
    ...(certificateAuthorities === undefined
      ? {}
      : { certificateAuthorities: [...rootCertificates, ...certificateAuthorities] }),
  });
  return createOriginPools({ connect, maxConnectionsPerOrigin, maxIdleOrigins });
}

/** Names and values in turn, as undici takes them quickest. It refuses names and values that could end a line. */
function headerLines(headers: HttpPost['headers']): string[] {
  const lines = ['accept-encoding', 'identity'];
  if (headers['user-agent'] === undefined) lines.push('user-agent', userAgent);
  for (const name in headers) lines.push(name, headers[name] ?? '');
  return lines;
}
