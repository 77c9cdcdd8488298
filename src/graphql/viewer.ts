import type { Id } from '../events/id.ts';

/** What an API key may be made for. */
export const scopes = ['responses:write', 'responses:read', 'forms:write', 'integrations:write', 'operate'] as const;
export type Scope = (typeof scopes)[number];

/** What a call proved itself with: the session of a person, or the API key of a program. */
export type Credential = { kind: 'session'; id: Id<'ses'> } | { kind: 'key'; id: Id<'key'>; scopes: readonly Scope[] };

/** Who asks, as their credentials are worth at this moment. */
export interface Viewer {
  /** For a key, who made it. */
  userId: Id<'usr'>;
  organizationId: Id<'org'>;
  credential: Credential;
}
