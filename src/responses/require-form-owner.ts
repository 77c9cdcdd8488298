import { GraphQLError } from 'graphql';
import type { Form } from '../forms/form.entity.ts';
import { isOwner } from '../forms/forms.service.ts';
import { requireViewer, type Caller } from '../graphql/context.ts';

/**
 * Lets only the organisation of a form go on to what came in through it. A form is read by anyone, so its owner is
 * checked at the edge that leaves it, with a clear refusal; the query behind has the organisation in it all the same.
 */
export function requireFormOwner(caller: Pick<Caller, 'viewer'>, form: Pick<Form, 'organizationId'> | undefined): void {
  if (form && isOwner(requireViewer(caller), form)) return;
  throw forbidden('Only the organisation of a form can read what came in through it.');
}

export const forbidden = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: 'FORBIDDEN' } });
