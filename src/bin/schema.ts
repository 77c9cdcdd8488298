import { readFileSync, writeFileSync } from 'node:fs';
import { defineCommand } from 'citty';
import { buildSchema, printedSchema } from '../api/schema.ts';

const file = new URL('../../schema.graphql', import.meta.url);

export const schemaCommand = defineCommand({
  args: { check: { type: 'boolean', default: false, description: 'Only compare, and fail where it differs.' } },
  run: ({ args }) => {
    const printed = printedSchema(buildSchema());
    if (!args.check) return writeFileSync(file, printed);
    if (readFileSync(file, 'utf8') === printed) return;
    throw new Error('schema.graphql is not what the code says; run: npm run schema');
  },
});
