import type { Readiness, RoleReadiness } from '../api/probes.ts';
import type { Role } from '../config.ts';

export interface ReadinessFacts {
  roles: readonly Role[];
  /** Whether PostgreSQL answers. */
  hasDatabase: boolean;
  /** Whether the connection to NATS is up. */
  hasNats: boolean;
  /** It was told to end: what comes now is taken for a little while. */
  isStopping?: boolean;
}

const noDatabase = 'PostgreSQL cannot be reached.';
const stops = 'This process stops.';
const noNats = 'NATS cannot be reached: responses are accepted, and delivered when it is back.';

/**
 * What each role needs: all of them PostgreSQL; relay and dispatcher NATS too, without which they can do nothing. The API
 * takes responses without NATS: it says so, and is ready all the same, for whoever sends requests to it should go on. Who
 * stops is ready for nothing more.
 */
export function readinessOf({ roles, hasDatabase, hasNats, isStopping = false }: ReadinessFacts): Readiness {
  const reasons = [...(isStopping ? [stops] : []), ...(hasDatabase ? [] : [noDatabase]), ...(hasNats ? [] : [noNats])];
  const isReady = (role: Role): boolean => !isStopping && hasDatabase && (hasNats || role === 'api');
  const ofRoles = roles.map((role): [Role, RoleReadiness] => [role, { ready: isReady(role), reasons }]);
  return { ready: roles.every(isReady), reasons, roles: Object.fromEntries(ofRoles) };
}
