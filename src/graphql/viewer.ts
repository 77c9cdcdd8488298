import type { Id } from '../events/id.ts';

/** What an API key may be made for. */
export const scopes = ['responses:write', 'responses:read', 'forms:write', 'integrations:write', 'operate'] as const;
export type Scope = (typeof scopes)[number];

/** What a member may be in an organisation; `permissions.ts` says what each may do. */
export const roles = ['owner', 'editor', 'viewer', 'partner'] as const;
export type Role = (typeof roles)[number];

/**
 * What a call proved itself with: the session of a person, or the API key of a program. A session of somebody who is
 * not a member of its organisation any more has the role `none`: they are logged in, and may do nothing there.
 */
export type Credential =
  | { kind: 'session'; id: Id<'ses'>; role: Role | 'none' }
  | { kind: 'key'; id: Id<'key'>; scopes: readonly Scope[] };

/** Who asks, as their credentials are worth at this moment. */
export interface Viewer {
  /** For a key, who made it. */
  userId: Id<'usr'>;
  /** In which they work now; a person may be a member of several. */
  organizationId: Id<'org'>;
  credential: Credential;
}
