import { defineCommand, type ArgsDef, type CommandDef, type ParsedArgs } from 'citty';
import { parseConfig, type Config } from '../../config.ts';
import { exitCodes, WrongUse } from '../exit-codes.ts';

export interface OperatorCommand<Args extends ArgsDef> {
  args: Args;
  /** Whether words after the command's own are its business; the others refuse them. */
  takesWords?: boolean;
  /** Answers how it ends; `config` throws where the configuration is wrong. */
  run: (call: { args: ParsedArgs<Args>; words: string[]; readonly config: Config }) => Promise<keyof typeof exitCodes>;
}

/** A command that refuses what it does not know, and ends with one of the exit codes. */
export function operatorCommand<const Args extends ArgsDef>(command: OperatorCommand<Args>): CommandDef<Args> {
  const { args: definitions, takesWords = false, run } = command;
  return defineCommand({
    args: definitions,
    run: async ({ args }) => {
      const { _: words } = args as { _: string[] };
      refuseUnknown(args, { definitions, words: takesWords ? [] : words });
      process.exitCode = exitCodes[await run({
        args,
        words,
        get config() {
          return parseConfig(process.env);
        },
      })];
    },
  });
}

function refuseUnknown(args: object, { definitions, words }: { definitions: ArgsDef; words: readonly string[] }): void {
  // the parser tells an option of two words in both spellings
  const known = new Set(['_', ...Object.keys(definitions).flatMap((name) => [name, camelCased(name)])]);
  const unknown = [...Object.keys(args).filter((name) => !known.has(name)).map((name) => `--${name}`), ...words][0];
  if (unknown === undefined) return;
  throw new WrongUse(`There is no ${unknown} here; it takes ${Object.keys(definitions).map((name) => `--${name}`).join(', ')}.`);
}

const camelCased = (name: string): string => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
