import type { InputObjectRef, InputType } from '@pothos/core';
import { z } from 'zod';
import type { Provider } from '../../integrations/provider.ts';
import { builder, type SchemaTypes } from '../graphql/builder.ts';

/** The member a client chose and what it says, not parsed yet: exactly one has a value. */
export type SettingsInput = Record<string, unknown>;

type AnyInputType = InputType<SchemaTypes>;
type FieldBuilder = PothosSchemaTypes.InputFieldBuilder<SchemaTypes, 'InputObject'>;

/**
 * Makes `IntegrationSettingsInput`: one member for each installed provider, its type made from the provider's own zod
 * schema. A new provider needs no change here as long as its settings are made of objects, lists, texts, numbers,
 * booleans and enums, optional or with defaults; anything else throws at start, naming the place.
 *
 * A nested type is named after its property in the singular (`headers` → `HeaderInput`), or by `.meta({ id: 'Header' })`.
 */
export function createSettingsInput(providers: readonly Provider[]): InputObjectRef<SchemaTypes, SettingsInput> {
  const typeOf = createTypeMaker();
  const members = providers.map(({ name, description, settings }) => {
    const type = typeOf(settings, { name: `${capitalized(name)}Settings`, owner: '', place: name });
    return { name, description, type };
  });
  return builder.inputType('IntegrationSettingsInput', {
    description: 'Exactly one: what is connected, and how.',
    isOneOf: true,
    fields: (t) => Object.fromEntries(members.map(({ name, description, type }) => [name, t.field({ type: type as 'String', description })])),
  });
}

/** Where in the settings a schema stands, and what its type is to be called if it needs a name of its own. */
interface Place {
  name: string;
  /** Goes before the name where another schema has it already. */
  owner: string;
  place: string;
}

type GraphQLTypeOf = AnyInputType | [AnyInputType];
type TypeOf = (schema: unknown, place: Place) => GraphQLTypeOf;

function createTypeMaker(): TypeOf {
  const made = new Map<string, { schema: unknown; type: AnyInputType }>();

  const named = (schema: z.ZodType, { name, owner }: Place, make: (typeName: string) => AnyInputType): AnyInputType => {
    const wanted = schema.meta()?.id ?? name;
    const known = made.get(wanted);
    if (known?.schema === schema) return known.type;
    const free = known ? `${owner}${wanted}` : wanted;
    const type = make(free);
    made.set(free, { schema, type });
    return type;
  };

  const typeOf: TypeOf = (schema, at) => {
    if (schema instanceof z.ZodString) return 'String';
    if (schema instanceof z.ZodBoolean) return 'Boolean';
    if (schema instanceof z.ZodNumber) return schema.isInt ? 'Int' : 'Float';
    if (schema instanceof z.ZodEnum) return named(schema, at, (name) => enumType(name, schema));
    if (schema instanceof z.ZodObject) return named(schema, at, (name) => objectType({ name, schema, at, typeOf }));
    if (schema instanceof z.ZodArray) return listOf(typeOf(unwrapped(schema.element).schema, { ...at, name: singular(at.name) }), at);
    throw new Error(`No GraphQL input can be made of the setting ${at.place}: it is none of object, list, text, number, boolean and enum`);
  };
  return typeOf;
}

function listOf(type: GraphQLTypeOf, at: Place): [AnyInputType] {
  if (Array.isArray(type)) throw new Error(`No GraphQL input can be made of the setting ${at.place}: it is a list of lists`);
  return [type];
}

function objectType(parts: { name: string; schema: z.ZodObject; at: Place; typeOf: TypeOf }): AnyInputType {
  const { name, schema, at, typeOf } = parts;
  const owner = name.replace(/Settings$/, '');
  const members = Object.entries(schema.shape).map(([property, member]) => {
    const type = typeOf(unwrapped(member).schema, { name: capitalized(property), owner, place: `${at.place}.${property}` });
    return { property, member, type };
  });
  return builder.inputType(`${name}Input`, {
    ...described(schema.description),
    fields: (t) => Object.fromEntries(members.map(({ property, member, type }) => [property, field(t, { member, type })])),
  });
}

function field(t: FieldBuilder, { member, type }: { member: unknown; type: GraphQLTypeOf }) {
  const { required, defaultValue, description } = unwrapped(member);
  const isPlain = ['string', 'number', 'boolean'].includes(typeof defaultValue);
  return t.field({
    type: type as 'String',
    required: required as false,
    ...described(description),
    ...(isPlain ? { defaultValue: defaultValue as string } : {}),
  });
}

function enumType(name: string, schema: z.ZodEnum): AnyInputType {
  const values = schema.options.map((option) => [upperSnake(String(option)), { value: option }]);
  return builder.enumType(name, { ...described(schema.description), values: Object.fromEntries(values) as Record<string, { value: string }> });
}

interface Unwrapped {
  schema: unknown;
  required: boolean;
  defaultValue: unknown;
  description: string | undefined;
}

/** Takes off what says that a member may be absent, and how it is described. */
function unwrapped(member: unknown): Unwrapped {
  const description = member instanceof z.ZodType ? member.description : undefined;
  if (member instanceof z.ZodOptional) return { ...inner(member.unwrap(), description), required: false };
  if (member instanceof z.ZodDefault) return { ...inner(member.unwrap(), description), required: false, defaultValue: member.def.defaultValue };
  if (member instanceof z.ZodPipe) return inner(member.in, description);
  return { schema: member, required: true, defaultValue: undefined, description };
}

function inner(member: unknown, description: string | undefined): Unwrapped {
  const below = unwrapped(member);
  return { ...below, description: description ?? below.description };
}

const described = (description: string | undefined) => (description === undefined ? {} : { description });
const capitalized = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);
const singular = (name: string): string => name.replace(/ies$/, 'y').replace(/s$/, '');
const upperSnake = (text: string): string => text.replace(/([a-z0-9])([A-Z])/g, '$1_$2').replace(/[^A-Za-z0-9]+/g, '_').toUpperCase();
