import { forbidden, requirePermission } from '../accounts/permissions.ts';
import type { Caller } from '../graphql/context.ts';
import type { Form } from './form.entity.ts';
import { isOwner } from './forms.service.ts';

/** Lets only the organisation of a form go on to what it asked before; the form as it is now is read by anyone. */
export function requireOrganizationOf(caller: Pick<Caller, 'viewer'>, form: Pick<Form, 'organizationId'>): void {
  if (isOwner(requirePermission(caller, 'forms:read'), form)) return;
  throw forbidden('Only the organisation of a form can read its earlier versions and what changed between them.');
}
