import { describe, expect, test } from 'vitest';
import { loadingOrder } from '../../src/backup/catalog.ts';
import { parseManifest, refusal } from '../../src/backup/manifest.ts';

const table = (name: string, ...references: string[]) => ({ name, columns: ['id'], references });

describe('tables are loaded', () => {
  test('after those that their foreign keys lead to, and may refer to themselves', () => {
    const names = loadingOrder([table('choices', 'questions'), table('forms', 'organizations'), table('organizations'), table('questions', 'forms', 'questions')]).map(({ name }) => name);
    expect(names).toEqual(['organizations', 'forms', 'questions', 'choices']);
  });

  test('in no order where the keys lead in a circle, which is said', () => {
    expect(() => loadingOrder([table('one', 'other'), table('other', 'one')])).toThrow('The foreign keys of one, other lead in a circle.');
  });
});

describe('a backup goes', () => {
  const known = ['a', 'b', 'c'];
  test('into an empty database, and into one with its schema or the beginning of it', () => {
    for (const database of [[], ['a'], ['a', 'b']]) expect(refusal({ backup: ['a', 'b'], database, known })).toBeUndefined();
  });
  test('into no newer schema: rows would not go through its migrations', () => {
    expect(refusal({ backup: ['a', 'b'], database: ['a', 'b', 'c'], known })).toContain('the migration c, which the backup has not');
  });
  test('into no older version', () => {
    expect(refusal({ backup: ['a', 'd'], database: [], known })).toContain('taken by a newer Formwire, which has the migration d');
  });
});

test('what is no manifest, or of another format, is refused with the place', () => {
  expect(() => parseManifest('{')).toThrow('formwire-backup.json is none');
  const later = { format: 2, takenAt: '', migrations: ['a'], tables: [], sequences: [], sealingKeys: [] };
  expect(() => parseManifest(JSON.stringify(later))).toThrow('format');
  const outside = { ...later, format: 1, tables: [{ name: 'x', columns: ['id'], rows: 0, file: '../x.copy.gz', sha256: '' }] };
  expect(() => parseManifest(JSON.stringify(outside))).toThrow('tables.0.file');
});
