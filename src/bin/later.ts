import { defineCommand, type ArgsDef, type CommandDef, type Resolvable } from 'citty';

/** A command that is loaded when it is asked for: most need little of the product, and `--help` of all needs nothing of it. */
export function later<Args extends ArgsDef>(command: { name: string; description: string; load: () => Promise<CommandDef<Args>> }): CommandDef<Args> {
  const { name, description, load } = command;
  return defineCommand({
    meta: { name, description },
    args: async () => resolved((await load()).args ?? ({} as Args)),
    run: async (context) => void (await (await load()).run?.(context)),
  });
}

/** What citty takes as a value, a promise or a function. */
export const resolved = async <T>(value: Resolvable<T>): Promise<T> => (typeof value === 'function' ? (value as () => T | Promise<T>)() : value);
