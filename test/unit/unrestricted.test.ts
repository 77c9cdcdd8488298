import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** Which files read entities of any organisation, and how often. */
const uses: Record<string, number> = {
  'src/accounts/accounts.service.ts': 3,
  'src/forms/forms.service.ts': 1,
  'src/forms/read-questions.ts': 5,
  'src/forms/sections.service.ts': 2,
};

const root = path.resolve(import.meta.dirname, '../..');
const sources = globSync(['src/**/*.ts', 'integrations/**/*.ts'], { cwd: root }).map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }));

test('entities of any organisation are read where it is said, and nowhere else', () => {
  const found = sources.map(({ file, text }) => [file, text.matchAll(/unrestricted\.(?!ts\b)\w+/g).toArray().length] as const);
  expect(Object.fromEntries(found.filter(([, count]) => count > 0))).toEqual(uses);
});

test('nothing else chooses the connection that entities are read with', () => {
  const chooses = /connectionType:|getKysely|\.getConnection\(|[eE]m\.execute\(/;
  const found = sources.filter(({ text }) => chooses.test(text)).map(({ file }) => file);
  // what asks for jobs writes, within the transaction of a change, which is the owner's in any case
  expect(found.toSorted()).toEqual(['src/graphql/unrestricted.ts', 'src/jobs/enqueue-jobs.ts']);
});
