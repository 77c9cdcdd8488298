import { forbidden, requirePermission, type Permission } from '../accounts/permissions.ts';
import type { Form } from '../forms/form.entity.ts';
import { isOwner } from '../forms/forms.service.ts';
import type { Caller } from '../graphql/context.ts';

/**
 * Lets only the organisation of a form go on to what came in through it, and of it only those who may. A form is read
 * by anyone, so its owner is checked at the edge that leaves it, with a clear refusal; the query behind has the
 * organisation in it all the same.
 */
export function requireFormOwner(
  caller: Pick<Caller, 'viewer'>,
  { form, permission }: { form: Pick<Form, 'organizationId'> | undefined; permission: Permission },
): void {
  if (form && isOwner(requirePermission(caller, permission), form)) return;
  throw forbidden('Only the organisation of a form can read what came in through it.');
}
