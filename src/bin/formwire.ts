import { defineCommand, runCommand } from 'citty';
import { migrateCommand } from './migrate.ts';
import { schemaCommand } from './schema.ts';
import { startCommand } from './start.ts';

const formwire = defineCommand({
  meta: { name: 'formwire', description: 'Forms and responses over GraphQL; every response delivered.' },
  subCommands: { start: startCommand, migrate: migrateCommand, schema: schemaCommand },
});

try {
  await runCommand(formwire, { rawArgs: process.argv.slice(2) });
  process.exit(0);
} catch (error) {
  // what a person can mend is said in a sentence; the stack is for the rest
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`formwire: ${message}\n`);
  if (process.env['FORMWIRE_LOG_LEVEL'] === 'debug' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exit(1);
}
