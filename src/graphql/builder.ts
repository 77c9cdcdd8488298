import SchemaBuilder from '@pothos/core';
import RelayPlugin from '@pothos/plugin-relay';
import type { Json } from '../events/canonical-json.ts';
import type { Context } from './context.ts';
import { nodeTypeNameOf } from './node-registry.ts';

/**
 * Where every GraphQL type registers. A feature's `<feature>.graphql.ts` reads like this:
 *
 * ```ts
 * declare module '../graphql/context.ts' { interface Services { notes: NotesService } }
 *
 * const noteLoader = createLoader((ids: readonly Id<'note'>[], context) => context.services.notes.readMany(context, ids));
 * export const NoteType = nodeRef('Note', { prefix: 'note', load: noteLoader });   // node(id) finds it by its prefix
 * NoteType.implement({
 *   description: 'What somebody wrote down.',
 *   fields: (t) => ({                                                      // `id` is there already
 *     text: t.exposeString('text'),                                        // fields are non-null unless `nullable: true`
 *     author: t.field({ type: UserType, nullable: true, resolve: (note, _, context) => userLoader(context).load(note.authorId) }),
 *   }),
 * });
 * export const NoteConnection = connectionType(NoteType);                  // NoteConnection, NoteEdge
 *
 * builder.objectField(FormType, 'notes', (t) =>                            // a field on another feature's type
 *   t.connection({
 *     type: NoteType,
 *     args: { filter: t.arg({ type: NoteFilter }) },
 *     resolve: (form, args, context) =>
 *       keysetPage({
 *         args,
 *         load: (range) => context.services.notes.list(context, { formId: form.id, filter: args.filter, range }),
 *         keyOf: (note) => note.id,                                        // after `load`, which tells what a note is
 *         isKey: (key) => isId('note', key),                               // a cursor holds one key
 *       }),
 *   }, NoteConnection),
 * );
 *
 * mutation('createNote', {                                                 // CreateNoteInput, CreateNotePayload
 *   description: 'Writes a note down.',
 *   input: (t) => ({ text: t.string({ required: true }) }),
 *   payload: { note: NoteType },                                           // nullable, beside `errors: [UserError!]!`
 *   run: async (input, context) => ({ note: await context.services.notes.create(context, input) }),
 * });
 * ```
 *
 * A service throws UserError; the mutation answers it in `errors`. In a query it becomes a GraphQL error.
 */
export const builder = new SchemaBuilder<{
  Context: Context;
  Scalars: {
    ID: { Input: string; Output: string };
    DateTime: { Input: Date; Output: Date };
    JSON: { Input: Json; Output: Json };
  };
  DefaultFieldNullability: false;
  DefaultEdgesNullability: false;
}>({
  plugins: [RelayPlugin],
  defaultFieldNullability: false,
  relay: {
    // Our ids already say what they name, so they go out as they are and `node` is answered in node.ts.
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    nodeTypeOptions: { description: 'Anything that has an id.', resolveType: (node) => nodeTypeNameOf(node) },
    pageInfoTypeOptions: { description: 'Where a page lies in its list.' },
    cursorType: 'String',
    edgesFieldOptions: { nullable: false },
    nodeFieldOptions: { nullable: false },
  },
});

builder.queryType({});
builder.mutationType({});

export type SchemaTypes = typeof builder.$inferSchemaTypes;
