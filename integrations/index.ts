import type { Provider } from './provider.ts';
import { googleSheets } from './google-sheets/google-sheets.ts';
import { rules } from './rules/rules.ts';
import { sms } from './sms/sms.ts';
import { webhook } from './webhook/webhook.ts';

/** The installed providers: one line each. */
export const providers = [webhook, rules, googleSheets, sms] as const satisfies readonly Provider[];

/** The provider of this name; undefined where none is installed, also for one that was taken out again. */
export function providerNamed(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name);
}
