import type { Provider } from '../../integrations/provider.ts';
import { isSealed, type Sealer } from '../sealing.ts';
import type { Integration } from './integration.entity.ts';
import { mapSecrets } from './secret-members.ts';

/** What of an integration is kept sealed. */
type Kept = Pick<Integration, 'id' | 'settings' | 'secrets'>;

/** Settings as they are stored: the members that their schema calls secret sealed, for this integration alone. */
export const sealSettings = (provider: Provider, { id, settings }: Omit<Kept, 'secrets'>, sealer: Sealer): unknown =>
  mapSecrets(provider.settings, settings, (text) => (isSealed(text) ? text : sealer.seal(text, id)));

/** Signing keys as they are stored. */
export const sealSecrets = ({ id, secrets }: Omit<Kept, 'settings'>, sealer: Sealer): string[] =>
  secrets.map((text) => (isSealed(text) ? text : sealer.seal(text, id)));

/** What is stored as its provider may use it. What was stored before it was sealed is as it is. Throws where a key is missing. */
export function openSettings(provider: Provider, { id, settings, secrets }: Kept, sealer: Sealer): Pick<Kept, 'settings' | 'secrets'> {
  const open = (text: string): string => (isSealed(text) ? sealer.open(text, id) : text);
  return { settings: mapSecrets(provider.settings, settings, open), secrets: secrets.map(open) };
}

/** The same sealed by the present key; the very same object where nothing is to be done. */
export function resealed(provider: Provider, kept: Kept, sealer: Sealer): Kept {
  let isStale = false;
  const look = (text: string): string => {
    isStale ||= !isSealed(text) || !sealer.isCurrent(text);
    return text;
  };
  mapSecrets(provider.settings, kept.settings, look);
  kept.secrets.forEach(look);
  if (!isStale) return kept;
  const opened = { id: kept.id, ...openSettings(provider, kept, sealer) };
  return { id: kept.id, settings: sealSettings(provider, opened, sealer), secrets: sealSecrets(opened, sealer) };
}
