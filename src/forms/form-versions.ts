import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { isId, type Id } from '../events/id.ts';
import { requirePermission } from '../accounts/permissions.ts';
import { formsWhere, reachOf } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { enqueueConnectOfForm } from '../jobs/enqueue-jobs.ts';
import { UserError } from '../user-error.ts';
import type { FormDefinition } from './form-definition.ts';
import { FormVersion } from './form-version.entity.ts';
import { Form } from './form.entity.ts';
import { writeQuestions } from './question-rows.ts';
import { writeSections } from './section-rows.ts';

/** A form whose row is locked until the transaction ends, what it asks now, and who edits it. */
export interface LockedForm {
  em: EntityManager;
  form: Form;
  definition: FormDefinition;
  editorId: Id<'usr'>;
}

/**
 * Runs one edit of a form in a transaction that holds the form's row, so that edits of one form follow each other and
 * each sees what the one before made. Throws UserError NOT_FOUND, at `path`, where the viewer has no such form.
 */
export function editForm<T>(
  caller: Caller,
  { formId, path }: { formId: string; path: readonly string[] },
  edit: (locked: LockedForm) => Promise<T>,
): Promise<T> {
  const viewer = requirePermission(caller, 'forms:write');
  return caller.em.fork().transactional(async (em) => edit(await lockForm(em, { formId, path, viewer })));
}

async function lockForm(
  em: EntityManager,
  { formId, path, viewer }: { formId: string; path: readonly string[]; viewer: Viewer },
): Promise<LockedForm> {
  const form = isId('form', formId)
    ? await em.findOne(Form, { ...formsWhere(reachOf(viewer)), id: formId, deletedAt: null }, { lockMode: LockMode.PESSIMISTIC_WRITE })
    : null;
  if (!form) throw new UserError('NOT_FOUND', 'Your organisation has no form with this id.', path);
  const { definition } = await em.findOneOrFail(FormVersion, { formId: form.id, number: form.version });
  return { em, form, definition, editorId: viewer.userId };
}

/** Writes the first version of a new form: its definition and the rows of its questions. */
export async function writeFirstVersion(
  em: EntityManager,
  { formId, definition, authorId, now }: { formId: Id<'form'>; definition: FormDefinition; authorId: Id<'usr'>; now: Date },
): Promise<void> {
  em.create(FormVersion, { formId, number: 1, definition, createdAt: now, createdById: authorId });
  const before = { title: definition.title, questions: [] };
  await writeSections(em, { formId, before, after: definition, now });
  await writeQuestions(em, { formId, before, after: definition, now });
}

/** Makes `after` the form's next version, which what is connected to it follows; where it is the very same definition, nothing happens. */
export async function writeNextVersion({ em, form, definition, editorId }: LockedForm, after: FormDefinition, now: Date): Promise<void> {
  if (after === definition) return;
  form.version += 1;
  form.updatedAt = now;
  em.create(FormVersion, { formId: form.id, number: form.version, definition: after, createdAt: now, createdById: editorId });
  await writeSections(em, { formId: form.id, before: definition, after, now });
  await writeQuestions(em, { formId: form.id, before: definition, after, now });
  await enqueueConnectOfForm(em, form.id);
}
