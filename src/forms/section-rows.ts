import type { EntityManager } from '@mikro-orm/postgresql';
import type { Id } from '../events/id.ts';
import type { FormDefinition } from './form-definition.ts';
import { Section } from './section.entity.ts';

/** Brings the rows of a form's sections from one definition to the next; flushes nothing. */
export async function writeSections(
  em: EntityManager,
  { formId, before, after, now }: { formId: Id<'form'>; before: FormDefinition; after: FormDefinition; now: Date },
): Promise<void> {
  const old = new Set(before.sections?.map(({ id }) => id));
  const kept = new Set(after.sections?.map(({ id }) => id));
  for (const id of kept.difference(old)) em.create(Section, { id, formId, createdAt: now });
  const removed = [...old.difference(kept)];
  if (removed.length > 0) await em.nativeUpdate(Section, { id: { $in: removed }, formId }, { removedAt: now });
}
