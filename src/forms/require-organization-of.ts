import { forbidden, requirePermission } from '../accounts/permissions.ts';
import type { Context } from '../graphql/context.ts';
import type { Form } from './form.entity.ts';
import { reachedFormLoader } from './forms.graphql.ts';

/** Lets only those go on to what a form asked before who reach it as members of its organisation; as it is now it is read by anyone. */
export async function requireOrganizationOf(context: Context, form: Pick<Form, 'id'>): Promise<void> {
  requirePermission(context, 'forms:read');
  if (await reachedFormLoader(context).load(form.id)) return;
  throw forbidden('Only the organisation of a form, and partners to whom it is granted, can read its earlier versions and what changed between them.');
}
