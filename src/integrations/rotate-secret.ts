import type { Provider } from '../../integrations/provider.ts';
import { millisecondsOf } from '../config.ts';
import type { Sealer } from '../sealing.ts';
import { UserError } from '../user-error.ts';
import type { Integration } from './integration.entity.ts';
import { sealSecrets } from './sealed-settings.ts';
import { maxSecrets, rotated } from './signing-secrets.ts';

export interface RotateSecretInput {
  id: string;
  /** A duration such as `24h`; `0s`: the old ones end at once. */
  keepOldFor?: string | null | undefined;
}

const hourMs = 3_600_000;
/** A week: over a weekend, and then some. */
const mostHours = 168;

/** For how long old secrets go on, in milliseconds; a day where nothing is said. Throws UserError. */
export function readKeepOldFor(keepOldFor: string | null | undefined): number {
  const ms = millisecondsOf(keepOldFor ?? '24h');
  if (ms !== undefined && ms <= mostHours * hourMs) return ms;
  const message = `Write for how long old secrets still sign beside the new one, from 0s to ${mostHours}h, such as 24h.`;
  throw new UserError('INVALID_INPUT', message, ['keepOldFor']);
}

/**
 * Gives an integration a new signing key, and answers it. Throws UserError where it has none, or too many would sign: an
 * old one that goes before its time would cost deliveries, so the caller has to say that by ending all of them.
 */
export function rotateSecret(
  integration: Pick<Integration, 'id' | 'secrets' | 'secretEnds'>,
  { provider, sealer, keepOldForMs, at }: { provider: Provider; sealer: Sealer; keepOldForMs: number; at: Date },
): string {
  if (!provider.createSecret) {
    const message = `${provider.title} signs nothing: there is no secret of ours to rotate. What it logs in with is changed by updateIntegration.`;
    throw new UserError('INVALID_INPUT', message, ['id']);
  }
  const secret = provider.createSecret();
  const [sealed = ''] = sealSecrets({ id: integration.id, secrets: [secret] }, sealer);
  const next = rotated(integration, { secret: sealed, keepOldForMs, at });
  if (next.secrets.length > maxSecrets) refuseTooMany(integration, at);
  Object.assign(integration, next);
  return secret;
}

function refuseTooMany({ secretEnds }: Pick<Integration, 'secretEnds'>, at: Date): never {
  const first = secretEnds.toSorted().find((end) => Date.parse(end) > at.getTime());
  const message = `${maxSecrets} secrets sign already, which is the most. Rotate again when an old one has ended${first ? ` (${first})` : ''}, or end all old ones at once by keepOldFor: "0s".`;
  throw new UserError('TOO_MANY', message, ['keepOldFor']);
}
