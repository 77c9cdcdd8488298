import { stripVTControlCharacters } from 'node:util';
import { renderUsage, runCommand, type ArgsDef, type CommandDef } from 'citty';
import { resolved } from './later.ts';
import { exitCodes, WrongUse } from './exit-codes.ts';

/**
 * Runs a command to its end and exits, with its `process.exitCode` or that of `exitCodes`. A failure is said in a
 * sentence: what a person can mend needs no stack.
 */
export async function runProgram<T extends ArgsDef>(name: string, command: CommandDef<T>): Promise<never> {
  const rawArgs = process.argv.slice(2);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined); // a terminal that was closed
  try {
    if (rawArgs.includes('--help') || rawArgs.includes('-h')) await help(command, rawArgs);
    else await runCommand(command, { rawArgs });
    process.exit();
  } catch (error) {
    const isWrongUse = error instanceof WrongUse || (error instanceof Error && error.name === 'CLIError');
    const message = stripVTControlCharacters(error instanceof Error ? error.message : String(error));
    process.stderr.write(`${name}: ${message}\n${isWrongUse ? `${name}: --help says what there is.\n` : ''}`);
    if (process.env['FORMWIRE_LOG_LEVEL'] === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(isWrongUse ? exitCodes.wrongUse : exitCodes.failed);
  }
}

/** Of the command that the first word names, or of all. */
async function help<T extends ArgsDef>(command: CommandDef<T>, rawArgs: readonly string[]): Promise<void> {
  const subCommands = await resolved(command.subCommands ?? {});
  const chosen = subCommands[rawArgs.find((word) => !word.startsWith('-')) ?? ''];
  const text = chosen ? await renderUsage(await resolved(chosen), command) : await renderUsage(command);
  process.stdout.write(`${process.stdout.isTTY ? text : stripVTControlCharacters(text)}\n`);
}
