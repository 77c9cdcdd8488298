import type { Provider } from '../../integrations/provider.ts';
import { isAllowed } from '../accounts/permissions.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Integration } from './integration.entity.ts';
import { mapSecrets } from './secret-members.ts';

/**
 * An integration's settings as somebody may see them: whoever writes integrations sees all, others what is no secret.
 * Secret is what the provider's schema says to be, and in URLs whatever is beyond their path. Of a provider that is not
 * installed any more, nobody knows what is secret: they see nothing then.
 */
export function shownSettings(
  { settings }: Pick<Integration, 'settings'>,
  { provider, viewer }: { provider: Provider | undefined; viewer: Viewer | undefined },
): unknown {
  if (viewer && isAllowed(viewer, 'integrations:write')) return settings;
  if (!provider) return {};
  return withoutUrlSecrets(mapSecrets(provider.settings, settings, () => hidden));
}

const hidden = '…';

function withoutUrlSecrets(value: unknown): unknown {
  if (typeof value === 'string') return shownText(value);
  if (Array.isArray(value)) return value.map(withoutUrlSecrets);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, withoutUrlSecrets(member)]));
}

function shownText(text: string): string {
  const url = /^https?:/i.test(text) ? URL.parse(text) : null;
  if (!url || !(url.username || url.password || url.search || url.hash)) return text;
  return `${url.origin}${url.pathname}${hidden}`;
}
