import { GraphQLError } from 'graphql';
import { requireViewer, type Caller } from '../graphql/context.ts';
import type { Scope, Viewer } from '../graphql/viewer.ts';

/** What one can be allowed to do in an organisation, and by which scopes an API key is. */
const permissions = {
  'forms:read': ['responses:write', 'responses:read', 'forms:write', 'integrations:write', 'operate'],
  'forms:write': ['forms:write'],
  'responses:read': ['responses:read'],
  'responses:write': ['responses:write'],
  'responses:amend': ['responses:write'],
  'integrations:read': ['integrations:write', 'operate'],
  'integrations:write': ['integrations:write'],
  'deliveries:read': ['operate'],
  'deliveries:write': ['operate'],
  'members:read': [],
  'keys:write': [],
} as const satisfies Record<string, readonly Scope[]>;

export type Permission = keyof typeof permissions;

/** Whether somebody may. Which rows it is about is for the statement's predicate to say. */
export function isAllowed({ credential }: Viewer, permission: Permission): boolean {
  if (credential.kind === 'session') return true;
  const sufficient: readonly Scope[] = permissions[permission];
  return credential.scopes.some((scope) => sufficient.includes(scope));
}

/** The viewer, where they may; for reads, in which what one may not see is simply not found. */
export const viewerAllowed = ({ viewer }: Pick<Caller, 'viewer'>, permission: Permission): Viewer | undefined =>
  viewer && isAllowed(viewer, permission) ? viewer : undefined;

/** The viewer. Throws a GraphQL error with the code UNAUTHENTICATED where nobody is logged in, FORBIDDEN where they may not. */
export function requirePermission(caller: Pick<Caller, 'viewer'>, permission: Permission): Viewer {
  const viewer = requireViewer(caller);
  if (isAllowed(viewer, permission)) return viewer;
  throw forbidden(whyForbidden(permission));
}

/** For what needs no account: refuses only credentials that were made for other things. */
export function requireNoRefusal(caller: Pick<Caller, 'viewer'>, permission: Permission): void {
  if (caller.viewer) requirePermission(caller, permission);
}

/** The person who asks and the session they ask in; an API key stands for no person. Throws FORBIDDEN, UNAUTHENTICATED. */
export function requirePerson(caller: Pick<Caller, 'viewer'>): Viewer & { credential: { kind: 'session' } } {
  const viewer = requireViewer(caller);
  const { credential } = viewer;
  if (credential.kind === 'session') return { ...viewer, credential };
  throw forbidden('An API key cannot do this; log in.');
}

export const forbidden = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });

function whyForbidden(permission: Permission): string {
  const sufficient = permissions[permission];
  if (sufficient.length === 0) return 'An API key cannot do this; log in.';
  return `This API key may not do this; it would need the scope ${sufficient.join(' or ')}.`;
}
