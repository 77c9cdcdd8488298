import type { FormShape } from '../../integrations/provider.ts';
import type { Settlement } from './claim-jobs.ts';
import { whyUnfit } from './form-faults.ts';
import type { Step, StepEnd } from './step.ts';

/** What connecting found out about an integration, for its owner to see. */
export interface Connected {
  end: StepEnd;
  /** What of its settings does not fit the form. */
  unfit: string | undefined;
  resourceUrl: string | undefined;
}

export interface ConnectDeps {
  /** The integration's form as it is stored now; undefined where it has none, or that was deleted. */
  readForm: () => Promise<FormShape | undefined>;
  /** Waits for a turn at the provider's quotas. */
  takeTurn: () => Promise<void>;
}

/**
 * Holds an integration against its form as it is now, and brings the outside service to it. While its owner has it
 * paused nothing is called: resuming asks for it again.
 */
export async function connect({ readForm, takeTurn }: ConnectDeps, { provider, integration, context }: Step): Promise<Connected> {
  const form = await readForm();
  const unfit = whyUnfit(provider, { settings: integration.settings, form });
  const isFormGone = integration.formId !== null && !form;
  if (!provider.connect || isFormGone || integration.status === 'paused') return { end: { status: 'done' }, unfit, resourceUrl: undefined };
  await takeTurn();
  const end = await provider.connect(context);
  return { end, unfit, resourceUrl: end.status === 'done' ? end.resourceUrl : undefined };
}

/** What is to be shown as the integration's fault, once a job to connect it is left like this; null: nothing. */
export function faultAfter({ end, unfit }: Pick<Connected, 'end' | 'unfit'>, settlement: Settlement): string | null {
  if (unfit !== undefined) return unfit;
  if (end.status === 'blocked' || settlement.status === 'failed') return 'reason' in settlement ? settlement.reason : null;
  return null;
}
