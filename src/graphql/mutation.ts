import { ObjectRef, type InputFieldMap, type InputObjectRef, type InputShapeFromFields, type ShapeFromTypeParam, type TypeParam } from '@pothos/core';
import { UserError, type Fault } from '../user-error.ts';
import { builder, type SchemaTypes } from './builder.ts';
import type { Context } from './context.ts';
import { UserErrorType } from './user-error-type.ts';

/** The members of a payload beside `errors`, by name: their types. */
export type PayloadFields = Record<string, TypeParam<SchemaTypes>>;

/** What a mutation answers. `errors` beside results: some of what was asked could not be done. */
export type PayloadShape<Fields extends PayloadFields> = {
  [Name in keyof Fields]?: ShapeFromTypeParam<SchemaTypes, Fields[Name], true>;
} & { errors?: readonly Fault[] };

type InputBuilder = PothosSchemaTypes.InputFieldBuilder<SchemaTypes, 'InputObject'>;

export interface MutationOptions<Input extends InputFieldMap, Fields extends PayloadFields> {
  description: string;
  /** The fields of `<Name>Input`. */
  input: (t: InputBuilder) => Input;
  /** The members of `<Name>Payload`, or a payload that several mutations share. */
  payload: Fields | PayloadRef<Fields>;
  /** As many fields as what it takes is worth, where that is much more than writing a row. */
  cost?: number;
  /** false: the log does not say who has had it done, since it changes nothing, is done by the thousand, or says so itself. */
  isLogged?: boolean;
  /** A UserError it throws is answered in `errors`; everything else passes through. */
  run: (input: InputShapeFromFields<Input>, context: Context) => Promise<PayloadShape<Fields>>;
}

export type PayloadRef<Fields extends PayloadFields> = ObjectRef<SchemaTypes, PayloadShape<Fields>>;

/** Adds a mutation by the API's convention: one `input`; a payload of nullable members and `errors: [UserError!]!`. */
export function mutation<Input extends InputFieldMap, const Fields extends PayloadFields>(
  name: string,
  options: MutationOptions<Input, Fields>,
): void {
  const typeName = name.charAt(0).toUpperCase() + name.slice(1);
  const { payload, cost, isLogged = true } = options;
  const run = async (input: InputShapeFromFields<Input>, context: Context): Promise<PayloadShape<Fields>> => {
    const done = await options.run(input, context);
    if (isLogged && context.viewer) context.noteChange({ mutation: name, viewer: context.viewer, ids: idsIn(done) });
    return done;
  };
  const payloadRef = payload instanceof ObjectRef ? payload : payloadType(`${typeName}Payload`, payload);
  const inputRef: InputObjectRef<SchemaTypes, unknown> = builder.inputType(`${typeName}Input`, { fields: options.input });
  builder.mutationField(name, (t) =>
    t.field({
      description: options.description,
      type: payloadRef,
      args: { input: t.arg({ type: inputRef, required: true }) },
      ...(cost !== undefined && { extensions: { cost } }),
      resolve: (_root, args, context) => answered(() => run(args.input as InputShapeFromFields<Input>, context), context) as never,
    }),
  );
}

/** A payload that several mutations share. */
export function payloadType<const Fields extends PayloadFields>(name: string, fields: Fields): PayloadRef<Fields> {
  const ref = builder.objectRef<PayloadShape<Fields>>(name);
  return ref.implement({
    fields: (t) => ({
      ...Object.fromEntries(
        Object.entries(fields).map(([field, type]) => [
          field,
          t.field({ type, nullable: true, resolve: (payload: PayloadShape<Fields>) => payload[field] as never }),
        ]),
      ),
      errors: t.field({
        description: 'What the caller can mend; empty where all went well.',
        type: [UserErrorType],
        resolve: (payload) => payload.errors ?? [],
      }),
    }),
  });
}

const mostIds = 10;

/** Of the things that a payload shows. */
function idsIn(payload: object): string[] {
  const shown = Object.values(payload).flatMap((member: unknown) => (Array.isArray(member) ? member.slice(0, mostIds) : [member]) as unknown[]);
  return shown.flatMap((one) => (typeof one === 'object' && one !== null && 'id' in one && typeof one.id === 'string' ? [one.id] : [])).slice(0, mostIds);
}

async function answered<Payload>(
  run: () => Promise<Payload>,
  context: Context,
): Promise<Payload | { errors: readonly Fault[] }> {
  context.renew(); // the mutations of one operation run one after the other; each sees what the one before did
  try {
    return await run();
  } catch (error) {
    if (error instanceof UserError) return { errors: error.faults };
    throw error;
  }
}
