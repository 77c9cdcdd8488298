import { defineCommand } from 'citty';
import { runProgram } from './run-program.ts';
import { migrateCommand } from './migrate.ts';
import { schemaCommand } from './schema.ts';
import { startCommand } from './start.ts';

const formwire = defineCommand({
  meta: { name: 'formwire', description: 'Forms and responses over GraphQL; every response delivered.' },
  subCommands: { start: startCommand, migrate: migrateCommand, schema: schemaCommand },
});

await runProgram('formwire', formwire);
