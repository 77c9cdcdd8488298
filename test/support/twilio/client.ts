import twilio from 'twilio';
import type { TwilioSimulator } from './twilio.ts';

/** Twilio's own client, set up against the simulator. It does not retry by itself. */
export function connectTwilio(simulator: TwilioSimulator, changes: { authToken?: string; timeoutMs?: number } = {}): twilio.Twilio {
  const { account, url } = simulator;
  const client = twilio(account.sid, changes.authToken ?? account.authToken, { autoRetry: false, timeout: changes.timeoutMs ?? 5_000 });
  client.api.baseUrl = url;
  return client;
}
