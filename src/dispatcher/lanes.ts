import type { Event } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import { matchesEvent } from '../integrations/matching.ts';
import type { Lane } from './lane.ts';

export interface LanesDeps {
  loadForm: (form: { organizationId: Id<'org'>; formId: Id<'form'> }) => Promise<{ version: number; integrations: EnabledIntegration[] }>;
  loadById: (ids: readonly Id<'intg'>[]) => Promise<EnabledIntegration[]>;
  createLane: (integration: EnabledIntegration) => Lane;
  updateLane: (lane: Lane, integration: EnabledIntegration) => void;
}

/** The lanes of all integrations this dispatcher has met, and which of them an event goes to. */
export interface Lanes {
  /** The lanes an event goes to. At once where the form is known well enough, else after a look at the database. */
  lanesFor(event: Event): Lane[] | Promise<Lane[]>;
  /** Reads integrations again, and meets the ones not met yet. */
  refresh(ids: readonly Id<'intg'>[]): Promise<EnabledIntegration[]>;
  /** An organisation's integrations have changed: what is known of its forms is stale. */
  forget(organizationId: Id<'org'>): void;
  get(id: Id<'intg'>): Lane | undefined;
  all(): Iterable<Lane>;
}

interface KnownForm {
  organizationId: Id<'org'>;
  version: number;
  integrationIds: Id<'intg'>[];
}

/** Forms whose integrations are remembered; the ones not used for longest are looked up again. */
const maxForms = 50_000;

export function createLanes(deps: LanesDeps): Lanes {
  const forms = new Map<Id<'form'>, KnownForm>();
  const lanes = new Map<Id<'intg'>, Lane>();

  const meet = (integration: EnabledIntegration): void => {
    const known = lanes.get(integration.id);
    if (known) return deps.updateLane(known, integration);
    if (integration.isDeleted) return;
    lanes.set(integration.id, deps.createLane(integration));
  };

  const load = async (event: Event): Promise<KnownForm> => {
    const { version, integrations: all } = await deps.loadForm(event);
    // who gets no events has done its work before the response was accepted
    const integrations = all.filter(({ events }) => events.length > 0);
    for (const integration of integrations) meet(integration);
    const known = { organizationId: event.organizationId, version, integrationIds: integrations.map((one) => one.id) };
    forms.delete(event.formId);
    forms.set(event.formId, known);
    for (const oldest of forms.keys()) {
      if (forms.size <= maxForms) break;
      forms.delete(oldest);
    }
    return known;
  };

  const match = (known: KnownForm, event: Event): Lane[] =>
    known.integrationIds.flatMap((id) => {
      const lane = lanes.get(id);
      return lane && matchesEvent(lane.integration(), event) ? [lane] : [];
    });

  return {
    lanesFor: (event) => {
      const known = forms.get(event.formId);
      if (known && known.version >= event.integrationsVersion) return match(known, event);
      return load(event).then((loaded) => match(loaded, event));
    },
    refresh: async (ids) => {
      const integrations = await deps.loadById(ids);
      for (const integration of integrations) {
        meet(integration);
        if (integration.isDeleted) lanes.delete(integration.id);
      }
      return integrations;
    },
    forget: (organizationId) => {
      for (const [formId, known] of forms) if (known.organizationId === organizationId) forms.delete(formId);
    },
    get: (id) => lanes.get(id),
    all: () => lanes.values(),
  };
}
