import type { Provider } from '../../integrations/provider.ts';
import type { Integration } from './integration.entity.ts';

/**
 * Whether an integration looks at responses before they are accepted. Of a provider that is not installed any more
 * (undefined) its integration tells: one that gets no events is there for nothing else.
 */
export const checksResponses = (provider: Provider | undefined, { events }: Pick<Integration, 'events'>): boolean =>
  provider ? provider.prepareCheck !== undefined : events.length === 0;
