import { createHmac } from 'node:crypto';

/** One status callback, and what came of it. */
export interface SentCallback {
  messageSid: string;
  status: string;
  url: string;
  form: Record<string, string>;
  /** What the receiver answered; undefined where it could not be reached or did not answer. */
  answered: number | undefined;
}

/**
 * The signature of a callback: HMAC-SHA1 under the auth token of the URL with its query, followed by every parameter's
 * name and value in the order of the names. Source: Twilio "Security: Validating requests".
 */
export function signCallback({ authToken, url, form }: { authToken: string; url: string; form: Record<string, string> }): string {
  const names = Object.keys(form).sort();
  const signed = names.reduce((text, name) => text + name + (form[name] ?? ''), url);
  return createHmac('sha1', authToken).update(signed, 'utf8').digest('base64');
}

const timeoutMs = 15_000;

/** Posts it once. Like Twilio, it does not try again because of what the receiver answered. */
export async function sendCallback(callback: Omit<SentCallback, 'answered'>, authToken: string): Promise<SentCallback> {
  const { url, form } = callback;
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'x-twilio-signature': signCallback({ authToken, url, form }), 'user-agent': 'TwilioProxy/1.1' },
      body: new URLSearchParams(form),
      redirect: 'manual',
      signal: AbortSignal.timeout(timeoutMs),
    });
    await response.body?.cancel();
    return { ...callback, answered: response.status };
  } catch {
    return { ...callback, answered: undefined };
  }
}
