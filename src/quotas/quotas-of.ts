import type { Provider, QuotaRate } from '../../integrations/provider.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';

/**
 * What the calls of an integration share with others, each quota within its organisation. An account's name is no secret:
 * whoever put another one's into settings of their own could otherwise take its turns for hours.
 */
export const quotasOf = (provider: Pick<Provider, 'quotas'> | undefined, { organizationId, settings }: Pick<EnabledIntegration, 'organizationId' | 'settings'>): QuotaRate[] =>
  (provider?.quotas?.(settings) ?? []).map((rate) => ({ ...rate, name: `${rate.name}:${organizationId}` }));
