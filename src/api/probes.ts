import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from './http-answer.ts';
import { pathOf } from './path-of.ts';

/** Whether something can do its work now. `reasons`: what is not as it should be, in sentences; also where it can. */
export interface RoleReadiness {
  ready: boolean;
  reasons: string[];
}

/** A process is ready when each of its roles is. */
export interface Readiness extends RoleReadiness {
  roles?: Partial<Record<string, RoleReadiness>>;
}

export interface ProbeOptions {
  readiness: () => Promise<Readiness>;
  /** In the text format of Prometheus; absent: there are none. */
  metrics?: (() => Promise<{ contentType: string; text: string }>) | undefined;
  /** What must be sent as `Authorization: Bearer …` to get them: any of these, so that one can take the place of another. */
  metricsTokens?: readonly string[] | undefined;
}

/**
 * Answers `/livez`, `/readyz` and `/metrics`; resolves to whether a request was for one of these.
 * - `/livez`: the process answers. Nothing else is looked at: a restart would not bring PostgreSQL back.
 * - `/readyz`: 200, or 503 with the reasons; of one role with `?role=api`, for who sends requests to that role only.
 * - `/metrics`: without a token to ask for, not through a proxy: what is behind one is public.
 */
export function createProbes(options: ProbeOptions): (request: IncomingMessage, response: ServerResponse) => Promise<boolean> {
  return async (request, response) => {
    switch (pathOf(request)) {
      case '/livez':
        sendJson(response, { status: 200, body: { status: 'ok' } });
        return true;
      case '/readyz':
        sendReadiness(response, await options.readiness(), roleOf(request));
        return true;
      case '/metrics':
        await sendMetrics(request, response, options);
        return true;
      default:
        return false;
    }
  };
}

/** Whether a request is one of those, from whoever watches this process. */
export const isProbe = (request: IncomingMessage): boolean => ['/livez', '/readyz', '/metrics'].includes(pathOf(request));

const roleOf = ({ url = '' }: IncomingMessage): string | null => new URLSearchParams(url.slice(url.indexOf('?') + 1)).get('role');

function sendReadiness(response: ServerResponse, readiness: Readiness, role: string | null): void {
  const body = role === null ? readiness : (readiness.roles?.[role] ?? { ready: false, reasons: [`This process has no role ${JSON.stringify(role)}.`] });
  sendJson(response, { status: body.ready ? 200 : 503, body });
}

async function sendMetrics(request: IncomingMessage, response: ServerResponse, { metrics, metricsTokens }: ProbeOptions): Promise<void> {
  if (!metrics) return sendJson(response, { status: 404, body: { error: 'There are no metrics here.' } });
  const refusal = whyRefused(request, metricsTokens);
  if (refusal) return sendJson(response, { status: 403, body: { error: refusal } });
  const { contentType, text } = await metrics();
  response.writeHead(200, { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }).end(text);
}

function whyRefused({ headers }: IncomingMessage, tokens: readonly string[] | undefined): string | undefined {
  const given = /^bearer +(.*)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  if (tokens) return tokens.some((token) => isSame(given, token)) ? undefined : 'Metrics want a FORMWIRE_METRICS_TOKEN as Authorization: Bearer ….';
  const isForwarded = headers['x-forwarded-for'] !== undefined || headers.forwarded !== undefined;
  return isForwarded ? 'Metrics are not for those who come through a proxy, unless FORMWIRE_METRICS_TOKEN is set.' : undefined;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
const isSame = (one: string, other: string): boolean => timingSafeEqual(digest(one), digest(other));
