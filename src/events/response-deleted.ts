import type { Id } from './id.ts';

/** `data` of `response.deleted`: which one is gone, and nothing of what it said. */
export interface ResponseDeletedData {
  form: { id: Id<'form'>; title: string; version: number };
  /** The current revision when it was erased. */
  response: { id: Id<'resp'>; familyId: Id<'resp'>; revision: number };
  deletedAt: Date;
}

/** The body of a `response.deleted`, as UTF-8 JSON, members in this order. */
export function renderResponseDeleted({ form, response, deletedAt }: ResponseDeletedData): Buffer {
  return Buffer.from(
    JSON.stringify({
      type: 'response.deleted',
      timestamp: deletedAt,
      data: {
        form: { id: form.id, title: form.title, version: form.version },
        response: { id: response.id, familyId: response.familyId, revision: response.revision },
      },
    }),
  );
}
