import { z } from 'zod';

/**
 * A copy of settings in which every secret text is what `map` makes of it. A member is secret where its schema says
 * `.meta({ secret: true })`; what the schema does not know stays as it is.
 */
export function mapSecrets(schema: z.ZodType, value: unknown, map: (text: string) => unknown): unknown {
  if (value === null || value === undefined) return value;
  const { inner, isSecret } = unwrapped(schema);
  if (isSecret) return typeof value === 'string' ? map(value) : value;
  if (inner instanceof z.ZodObject && isRecord(value)) return mapMembers(inner, value, map);
  if (inner instanceof z.ZodArray && Array.isArray(value)) return value.map((item) => mapSecrets(inner.element as z.ZodType, item, map));
  return value;
}

function mapMembers(schema: z.ZodObject, value: Record<string, unknown>, map: (text: string) => unknown): Record<string, unknown> {
  const members = schema.shape as Record<string, z.ZodType>;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, Object.hasOwn(members, name) ? mapSecrets(members[name] as z.ZodType, member, map) : member]),
  );
}

/** Settings in which a secret that is not given is as it was: nobody can read it again to send it once more. */
export function withKnownSecrets(schema: z.ZodType, given: unknown, known: unknown): unknown {
  const { inner } = unwrapped(schema);
  if (!(inner instanceof z.ZodObject) || !isRecord(given) || !isRecord(known)) return given;
  const members = Object.entries(inner.shape as Record<string, z.ZodType>).map(([name, member]) => {
    const isKept = unwrapped(member).isSecret && (given[name] === undefined || given[name] === null);
    return [name, isKept ? known[name] : withKnownSecrets(member, given[name], known[name])];
  });
  return { ...given, ...Object.fromEntries(members) };
}

/** Whether a member of settings is secret by its schema. */
export const isSecretMember = (schema: z.ZodType): boolean => unwrapped(schema).isSecret;

/** Takes off what says that a member may be absent; it may be marked as secret outside of that or inside. */
function unwrapped(schema: z.ZodType): { inner: z.ZodType; isSecret: boolean } {
  let inner = schema;
  let isSecret = isMarked(inner);
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault || inner instanceof z.ZodNullable || inner instanceof z.ZodPipe) {
    inner = (inner instanceof z.ZodPipe ? inner.in : inner.unwrap()) as z.ZodType;
    isSecret ||= isMarked(inner);
  }
  return { inner, isSecret };
}

const isMarked = (schema: z.ZodType): boolean => schema.meta()?.['secret'] === true;

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
