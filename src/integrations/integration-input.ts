import type { NetworkPolicy, Provider } from '../../integrations/provider.ts';
import { eventTypes, type EventType } from '../events/event.ts';
import type { Sealer } from '../sealing.ts';
import { whyTextUnstorable } from '../storable.ts';
import { UserError } from '../user-error.ts';
import type { DeadRedriveInput } from './dead-redrive.ts';
import { withKnownSecrets } from './secret-members.ts';
import { parseSettings } from './parse-settings.ts';

export interface CreateIntegrationInput {
  /** Absent: every form of the organisation. */
  formId?: string | null | undefined;
  name?: string | null | undefined;
  events?: readonly EventType[] | null | undefined;
  settings: Record<string, unknown>;
  deadRedrive?: DeadRedriveInput | null | undefined;
}

/** What is absent or null stays as it is. */
export interface UpdateIntegrationInput {
  id: string;
  name?: string | null | undefined;
  events?: readonly EventType[] | null | undefined;
  settings?: Record<string, unknown> | null | undefined;
  deadRedrive?: DeadRedriveInput | null | undefined;
  paused?: boolean | null | undefined;
}

/** What reading settings takes: the installed providers, and what addresses may be reached. */
export interface SettingsDeps {
  providerNamed: (name: string) => Provider | undefined;
  network: NetworkPolicy;
  sealer: Sealer;
}

const maxNameLength = 200;

/**
 * The provider that a client's settings name by their one member, and what they say, parsed. `known`: settings so far,
 * opened, from which a secret that is not given again stays. Throws UserError.
 */
export function readSettings(deps: SettingsDeps, input: Record<string, unknown>, known?: unknown): { provider: Provider; settings: unknown } {
  const [member, ...others] = Object.entries(input).filter(([, value]) => value !== undefined && value !== null);
  const provider = member && deps.providerNamed(member[0]);
  if (!member || !provider || others.length > 0) {
    throw new UserError('INVALID_INPUT', 'Give the settings of exactly one provider that is installed.', ['settings']);
  }
  const settings = withKnownSecrets(provider.settings, member[1], known);
  return { provider, settings: parseSettings(provider, { settings, network: deps.network, path: ['settings', provider.name] }) };
}

/** A name people can tell an integration by. Throws UserError. */
export function readName(name: string): string {
  const unstorable = whyTextUnstorable(name);
  if (unstorable !== undefined) throw new UserError('INVALID_INPUT', `The name ${unstorable}.`, ['name']);
  if (name.trim() !== '' && name.length <= maxNameLength) return name;
  throw new UserError('INVALID_INPUT', `A name has 1 to ${maxNameLength} characters and is not blank.`, ['name']);
}

/**
 * The types of events an integration gets, each once, in the catalogue's order; its provider's choice where its owner
 * makes none. One whose provider delivers nothing gets none. Throws UserError where it is asked for the other way round.
 */
export function readEvents(provider: Pick<Provider, 'title' | 'deliver' | 'defaultEvents'>, wanted: readonly EventType[] | null | undefined): EventType[] {
  const events = wanted ?? provider.defaultEvents ?? ['response.created'];
  if (!provider.deliver) {
    if (events.length === 0) return [];
    throw new UserError('INVALID_INPUT', `${provider.title} gets no events: it looks at responses before they are accepted. Leave them out.`, ['events']);
  }
  if (events.length === 0) throw new UserError('INVALID_INPUT', 'Name at least one type of event.', ['events']);
  return eventTypes.filter((type) => events.includes(type));
}
