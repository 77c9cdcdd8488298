import { GraphQLError } from 'graphql';
import type { Id } from '../events/id.ts';
import { requireViewer, type Caller } from '../graphql/context.ts';
import type { Role, Scope, Viewer } from '../graphql/viewer.ts';

interface Rule {
  roles: readonly Role[];
  scopes: readonly Scope[];
}

/**
 * What one can be allowed to do in an organisation: the roles that let a person, and the scopes that let an API key.
 * Which rows it is about is for `reach.ts` to say: a partner may do what stands here with what was granted to it, and
 * with webhooks of its own.
 */
const permissions = {
  'forms:read': { roles: ['owner', 'editor', 'viewer', 'partner'], scopes: ['responses:write', 'responses:read', 'forms:write', 'integrations:write', 'operate'] },
  'forms:write': { roles: ['owner', 'editor'], scopes: ['forms:write'] },
  'responses:read': { roles: ['owner', 'editor', 'viewer'], scopes: ['responses:read'] },
  'responses:write': { roles: ['owner', 'editor'], scopes: ['responses:write'] },
  'responses:amend': { roles: ['owner', 'editor'], scopes: ['responses:write'] },
  'responses:erase': { roles: ['owner', 'editor'], scopes: [] },
  'responses:review': { roles: ['owner', 'editor'], scopes: [] },
  'integrations:read': { roles: ['owner', 'editor', 'viewer', 'partner'], scopes: ['integrations:write', 'operate'] },
  'integrations:write': { roles: ['owner', 'editor', 'partner'], scopes: ['integrations:write'] },
  'jobs:read': { roles: ['owner', 'editor', 'viewer'], scopes: ['integrations:write', 'operate'] },
  'jobs:write': { roles: ['owner', 'editor'], scopes: ['operate'] },
  'deliveries:read': { roles: ['owner', 'editor', 'viewer', 'partner'], scopes: ['operate'] },
  'deliveries:write': { roles: ['owner', 'editor', 'partner'], scopes: ['operate'] },
  'replays:read': { roles: ['owner', 'editor', 'viewer'], scopes: ['operate'] },
  'replays:write': { roles: ['owner', 'editor'], scopes: ['operate'] },
  'members:read': { roles: ['owner', 'editor', 'viewer'], scopes: [] },
  'members:write': { roles: ['owner'], scopes: [] },
  'keys:write': { roles: ['owner'], scopes: [] },
} as const satisfies Record<string, Rule>;

export type Permission = keyof typeof permissions;

/** Whether somebody may. Which rows it is about is for the statement's predicate to say. */
export function isAllowed({ credential }: Viewer, permission: Permission): boolean {
  const { roles, scopes }: Rule = permissions[permission];
  if (credential.kind === 'session') return credential.role !== 'none' && roles.includes(credential.role);
  return credential.scopes.some((scope) => scopes.includes(scope));
}

/** The viewer, where they may; for reads, in which what one may not see is simply not found. */
export const viewerAllowed = ({ viewer }: Pick<Caller, 'viewer'>, permission: Permission): Viewer | undefined =>
  viewer && isAllowed(viewer, permission) ? viewer : undefined;

/** The viewer. Throws a GraphQL error with the code UNAUTHENTICATED where nobody is logged in, FORBIDDEN where they may not. */
export function requirePermission(caller: Pick<Caller, 'viewer'>, permission: Permission): Viewer {
  const viewer = requireViewer(caller);
  if (isAllowed(viewer, permission)) return viewer;
  throw forbidden(whyForbidden(viewer, permission));
}

/** The viewer, who may, and works in this very organisation: what is within others is only reached from there. Throws FORBIDDEN, UNAUTHENTICATED. */
export function requireWithin(
  caller: Pick<Caller, 'viewer'>,
  { organizationId, permission }: { organizationId: Id<'org'>; permission: Permission },
): Viewer {
  const viewer = requirePermission(caller, permission);
  if (viewer.organizationId === organizationId) return viewer;
  throw forbidden('You work in another organisation now; switchOrganization leads to this one.');
}

/** For what anybody may do without an account, and so every person: refuses only keys that were made for other things. */
export function requireNoRefusal(caller: Pick<Caller, 'viewer'>, permission: Permission): void {
  if (caller.viewer?.credential.kind === 'key') requirePermission(caller, permission);
}

export type Person = Viewer & { credential: { kind: 'session' } };

/** The person who asks and the session they ask in; an API key stands for no person. Throws FORBIDDEN, UNAUTHENTICATED. */
export function requirePerson(caller: Pick<Caller, 'viewer'>): Person {
  const viewer = requireViewer(caller);
  const { credential } = viewer;
  if (credential.kind === 'session') return { ...viewer, credential };
  throw forbidden(personNeeded);
}

export const forbidden = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });

const personNeeded = 'An API key cannot do this; log in.';

function whyForbidden({ credential }: Viewer, permission: Permission): string {
  const { roles, scopes }: Rule = permissions[permission];
  if (credential.kind === 'key') {
    return scopes.length === 0 ? personNeeded : `This API key may not do this; it would need the scope ${scopes.join(' or ')}.`;
  }
  if (credential.role === 'none') return 'You are not a member of this organisation any more; work in another one with switchOrganization, or ask one of its owners for an invitation.';
  return `As ${credential.role} of this organisation you may not do this; it takes the role ${roles.join(' or ')}.`;
}
