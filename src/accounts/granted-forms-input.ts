import type { EntityManager } from '@mikro-orm/postgresql';
import { isId, type Id } from '../events/id.ts';
import { Form } from '../forms/form.entity.ts';
import type { Role } from '../graphql/viewer.ts';
import { UserError } from '../user-error.ts';

export const maxGrantedForms = 500;

/** The forms that somebody of this role is to reach one by one: a partner's. Throws UserError, at `formIds`, with every fault. */
export async function readGrantedForms(
  em: EntityManager,
  { organizationId, role, formIds }: { organizationId: Id<'org'>; role: Role; formIds: readonly string[] | null | undefined },
): Promise<Id<'form'>[]> {
  const wanted = [...new Set(formIds)];
  if (wanted.length === 0) return [];
  if (role !== 'partner') throw new UserError('INVALID_INPUT', 'Only a partner is granted single forms; everybody else has all.', ['formIds']);
  if (wanted.length > maxGrantedForms) {
    throw new UserError('TOO_MANY', `A partner can be granted at most ${maxGrantedForms} forms; these are ${wanted.length}.`, ['formIds']);
  }
  const ids = wanted.filter((id) => isId('form', id));
  const forms = await em.find(Form, { id: { $in: ids }, organizationId, deletedAt: null }, { fields: ['id'] });
  const known = new Set<string>(forms.map(({ id }) => id));
  const faults = (formIds ?? []).flatMap((id, index) =>
    known.has(id) ? [] : [{ code: 'NOT_FOUND' as const, message: 'Your organisation has no form with this id.', path: ['formIds', index] }],
  );
  if (faults.length > 0) throw new UserError(faults);
  return ids;
}
