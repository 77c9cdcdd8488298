import type { Provider } from '../../integrations/provider.ts';
import type { Log } from '../log.ts';
import type { Sealer } from '../sealing.ts';
import type { EnabledIntegration } from './enabled-integrations.ts';
import { openSettings } from './sealed-settings.ts';

export interface OpeningDeps {
  providerNamed: (name: string) => Provider | undefined;
  sealer: Sealer;
  log: Log;
  /** Why it could not be used when it was looked at before: that is not logged again. */
  known?: string | null | undefined;
}

const unreadable = 'Its secrets cannot be read: the key they were encrypted with is not configured.';

/** An integration as its provider may use it, or, in a sentence, why it cannot be used. */
export type Opened = { provider: Provider; integration: EnabledIntegration } | { unusable: string };

/** Opens an integration's secrets and parses its settings. */
export function openIntegration(deps: OpeningDeps, integration: EnabledIntegration): Opened {
  const provider = deps.providerNamed(integration.provider);
  if (!provider) return { unusable: `No provider named ${integration.provider} is installed.` };
  const opened = openedBy(deps, provider, integration);
  if (!opened) return { unusable: unreadable };
  const parsed = provider.settings.safeParse(opened.settings);
  if (!parsed.success) return { unusable: `Its settings do not fit the provider: ${parsed.error.message}` };
  return { provider, integration: { ...integration, secrets: opened.secrets, settings: parsed.data } };
}

function openedBy({ sealer, log, known }: OpeningDeps, provider: Provider, integration: EnabledIntegration): ReturnType<typeof openSettings> | undefined {
  try {
    return openSettings(provider, integration, sealer);
  } catch (error) {
    if (known !== unreadable) log.error({ integrationId: integration.id, err: error }, 'secrets.unreadable');
    return undefined;
  }
}
