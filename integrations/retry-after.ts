const minWaitMs = 1_000;
const maxWaitMs = 24 * 60 * 60 * 1_000;

/**
 * The wait that a `Retry-After` header asks for, in seconds or as an HTTP date, kept between 1 s and 24 h; undefined
 * where there is none, or it is neither. Source: RFC 9110, 10.2.3.
 */
export function retryAfterMs(header: string | string[] | undefined, now: Date): number | undefined {
  const text = (Array.isArray(header) ? header[0] : header)?.trim() ?? '';
  const waitMs = /^\d+$/.test(text) ? Number(text) * 1_000 : untilMs(text, now);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, minWaitMs), maxWaitMs);
}

/** `Date.parse` takes far more than HTTP dates, which all end in GMT. */
const untilMs = (text: string, now: Date): number => (text.endsWith('GMT') ? Date.parse(text) - now.getTime() : Number.NaN);
