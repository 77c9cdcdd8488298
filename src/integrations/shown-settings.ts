import type { Provider } from '../../integrations/provider.ts';
import { isAllowed } from '../accounts/permissions.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Integration } from './integration.entity.ts';
import { mapSecrets } from './secret-members.ts';

/**
 * An integration's settings as somebody may see them. Nobody sees what the provider's schema calls secret; whoever may
 * not write integrations does not see either what in a URL is beyond its path. Of a provider that is not installed any
 * more, nobody knows what is secret: nothing is shown then.
 */
export function shownSettings(
  { settings }: Pick<Integration, 'settings'>,
  { provider, viewer }: { provider: Provider | undefined; viewer: Viewer | undefined },
): unknown {
  if (!provider) return {};
  const shown = mapSecrets(provider.settings, settings, () => hidden);
  return viewer && isAllowed(viewer, 'integrations:write') ? shown : withoutUrlSecrets(shown);
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
