import type { Provider } from '../../integrations/provider.ts';
import type { Log } from '../log.ts';
import type { Sealer } from '../sealing.ts';
import type { EnabledIntegration } from './enabled-integrations.ts';
import { openSettings } from './sealed-settings.ts';

export interface OpeningDeps {
  providerNamed: (name: string) => Provider | undefined;
  sealer: Sealer;
  log: Log;
}

const unreadable = 'Its secrets cannot be read: the key they were encrypted with is not configured.';

/** An integration as its provider may use it, or, in a sentence, why it cannot be used. */
export type Opened = { provider: Provider; integration: EnabledIntegration } | { unusable: string };

/**
 * Opens an integration's secrets and parses its settings. `known`: why it could not be used when it was looked at before,
 * which is not logged again.
 */
export function openIntegration(deps: OpeningDeps, integration: EnabledIntegration, known?: string | null): Opened {
  const provider = deps.providerNamed(integration.provider);
  if (!provider) return { unusable: `No provider named ${integration.provider} is installed.` };
  const opened = openedBy(deps, { provider, integration, known });
  if (!opened) return { unusable: unreadable };
  const parsed = provider.settings.safeParse(opened.settings);
  if (!parsed.success) return { unusable: `Its settings do not fit the provider: ${parsed.error.message}` };
  return { provider, integration: { ...integration, secrets: opened.secrets, settings: parsed.data } };
}

function openedBy({ sealer, log }: OpeningDeps, { provider, integration, known }: { provider: Provider; integration: EnabledIntegration; known: string | null | undefined }): ReturnType<typeof openSettings> | undefined {
  try {
    return openSettings(provider, integration, sealer);
  } catch (error) {
    if (known !== unreadable) log.error({ integrationId: integration.id, err: error }, 'secrets.unreadable');
    return undefined;
  }
}
