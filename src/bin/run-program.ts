import { runCommand, showUsage, type ArgsDef, type CommandDef } from 'citty';

/** Runs a command to its end and exits. A failure is said in a sentence: what a person can mend needs no stack. */
export async function runProgram<T extends ArgsDef>(name: string, command: CommandDef<T>): Promise<never> {
  const rawArgs = process.argv.slice(2);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined); // a terminal that was closed
  try {
    if (rawArgs.includes('--help') || rawArgs.includes('-h')) await showUsage(command);
    else await runCommand(command, { rawArgs });
    process.exit(0);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`${name}: ${message}\n`);
    if (process.env['FORMWIRE_LOG_LEVEL'] === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exit(1);
  }
}
