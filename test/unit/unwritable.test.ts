import { expect, test } from 'vitest';
import { saysDiskFull, unwritable } from '../../src/embedded/unwritable.ts';

const said = (code: string): string => unwritable('/data', { cause: Object.assign(new Error(code), { code }), elsewhere: 'set FORMWIRE_DATA to another one' }).message;

test('a directory that cannot be written is its owner’s to mend, or a full disk', () => {
  expect(said('EACCES')).toBe('The data directory /data cannot be written: start Formwire as the user who owns it, or set FORMWIRE_DATA to another one.');
  expect(said('ENOSPC')).toBe('The data directory /data cannot be written: the disk is full: make room, or set FORMWIRE_DATA to another one.');
  expect(said('EDQUOT')).toContain('the disk is full');
});

test('servers say in their logs that the disk was full', () => {
  expect(saysDiskFull('PANIC:  could not write to file "pg_wal/xlogtemp.1": No space left on device')).toBe(true);
  expect(saysDiskFull('[ERR] JetStream out of resources: write /data/1.blk: no space left on device')).toBe(true);
  expect(saysDiskFull('LOG:  database system is shut down')).toBe(false);
});
