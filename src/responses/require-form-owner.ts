import { forbidden, requirePermission, type Permission } from '../accounts/permissions.ts';
import type { Form } from '../forms/form.entity.ts';
import { reachedFormLoader } from '../forms/forms.graphql.ts';
import type { Context } from '../graphql/context.ts';

/**
 * Lets only those go on to what came in through a form, or is connected to it, who reach the form as members of its
 * organisation, and of them only those who may. A form is read by anyone, so this is checked at the edge that leaves
 * it, with a clear refusal; the query behind has the same condition in it all the same.
 */
export async function requireFormOwner(
  context: Context,
  { form, permission }: { form: (Pick<Form, 'id'> & Partial<Pick<Form, 'deletedAt'>>) | undefined; permission: Permission },
): Promise<void> {
  requirePermission(context, permission);
  if (form?.deletedAt) throw forbidden('The form is deleted: nothing leads on from there.');
  if (form && (await reachedFormLoader(context).load(form.id))) return;
  throw forbidden('Only the organisation of a form, and partners to whom it is granted, can go on from there.');
}
