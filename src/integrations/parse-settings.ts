import type { NetworkPolicy, Provider } from '../../integrations/provider.ts';
import { whyJsonUnstorable } from '../storable.ts';
import { UserError, type Fault } from '../user-error.ts';

/**
 * Parses what an owner says about an integration by its provider's schema, and asks the provider about what only the
 * running process knows. Throws UserError with every fault; `path` leads to the settings.
 */
export function parseSettings(
  provider: Provider,
  options: { settings: unknown; network: NetworkPolicy; path: readonly (string | number)[] },
): unknown {
  const { network, path } = options;
  const settings = withoutNulls(options.settings);
  const unstorable = whyJsonUnstorable(settings);
  if (unstorable) throw new UserError('INVALID_INPUT', `This ${unstorable.reason}.`, [...path, ...unstorable.path]);
  const parsed = provider.settings.safeParse(settings);
  if (!parsed.success) throw new UserError(parsed.error.issues.map((issue) => faultOf(issue, path)));
  const refused = provider.refuse?.(parsed.data, network);
  if (refused !== undefined) throw new UserError('INVALID_INPUT', refused, path);
  return parsed.data;
}

const faultOf = (issue: { message: string; path: readonly PropertyKey[] }, path: readonly (string | number)[]): Fault => ({
  code: 'INVALID_INPUT',
  message: issue.message,
  path: [...path, ...issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))],
});

/** GraphQL takes null for an optional field; to the schema it is as good as absent. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(kept.map(([key, member]) => [key, withoutNulls(member)]));
}
