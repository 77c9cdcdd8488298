import type { Pool } from 'pg';
import type { FormShape } from '../../integrations/provider.ts';
import type { Id } from '../events/id.ts';
import type { FormDefinition } from '../forms/form-definition.ts';
import type { PublishedForms } from '../forms/published-forms.ts';

/** A form's version as providers see it. */
export function shapeOf(form: { id: Id<'form'>; version: number; definition: FormDefinition; email: string }): FormShape {
  const { id, version, email, definition } = form;
  const questions = definition.questions.map((question) => ({
    id: question.id,
    key: question.key,
    text: question.text,
    kind: question.kind,
    choices: question.choices.map(({ text }) => ({ text })),
  }));
  return { id, title: definition.title, version, email, questions };
}

/** A form at its newest version known here, which is `atLeast` this one; undefined where it is deleted. */
export async function readFormShape(
  { pool, forms }: { pool: Pool; forms: PublishedForms },
  { formId, atLeast = 1 }: { formId: Id<'form'>; atLeast?: number | undefined },
): Promise<FormShape | undefined> {
  const known = await forms.get(formId);
  const form = known && known.version >= atLeast ? known : await forms.refresh(formId);
  if (!form) return undefined;
  return shapeOf({ ...form, email: await readEmail(pool, formId) });
}

/** Where a form's people are reached. */
export async function readEmail(pool: Pool, formId: Id<'form'>): Promise<string> {
  const { rows } = await pool.query<{ email: string }>({
    name: 'form-email',
    text: 'select coalesce(f.email, u.email) as email from forms f join users u on u.id = f.owner_id where f.id = $1',
    values: [formId],
  });
  if (!rows[0]) throw new Error(`${formId} is missing`);
  return rows[0].email;
}
