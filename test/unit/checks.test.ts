import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { clockFinding, durabilityFinding, migrationsFinding, roleFinding, versionFinding } from '../../src/console/checks/database-checks.ts';
import type { Finding } from '../../src/console/checks/finding.ts';
import { checkDataDirectory } from '../../src/console/checks/machine-checks.ts';
import { consumersFinding, copiesFindings, serverFinding, streamFindings } from '../../src/console/checks/stream-checks.ts';
import { checkWork } from '../../src/console/checks/work-checks.ts';
import { newId } from '../../src/events/id.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const states = (findings: readonly Finding[]) => findings.map(({ state }) => state);

test('PostgreSQL is 15 or newer, and no replica', () => {
  expect(states([150_000, 180_004, 149_999].map((version) => versionFinding({ version, versionText: '', isReplica: false })))).toEqual(['sound', 'sound', 'wrong']);
  expect(versionFinding({ version: 180_000, versionText: '18', isReplica: true }).state).toBe('wrong');
});

test('clocks may differ by a second, and by no minute', () => {
  expect(states([0, 999, -1_500, 59_000, 60_000, -120_000].map(clockFinding))).toEqual(['sound', 'sound', 'doubtful', 'doubtful', 'wrong', 'wrong']);
  expect(clockFinding(-1_500).seen).toContain('1.5 s behind');
});

test('a commit is on disk, or a crash loses what was accepted', () => {
  const on = { fsync: 'on', fullPageWrites: 'on', synchronousCommit: 'on' };
  expect(durabilityFinding(on).state).toBe('sound');
  for (const off of ['fsync', 'fullPageWrites', 'synchronousCommit']) expect(durabilityFinding({ ...on, [off]: 'off' }).state).toBe('wrong');
});

test('the user of the database owns the tables and may take the reader’s role', () => {
  expect(states([roleFinding({ ownsTables: true, canRead: true }), roleFinding({ ownsTables: true, canRead: false }), roleFinding({ ownsTables: false, canRead: true })])).toEqual(['sound', 'doubtful', 'wrong']);
});

test('the schema is that of this version, or of a newer one that this one can run beside', () => {
  const all = ['1-begin', '2-more'];
  const of = (done: readonly string[] | null, oldest?: string) => migrationsFinding({ done, all, own: '1.2.0', oldest });
  expect([of(all).state, of(all, '1.2.0').state]).toEqual(['sound', 'sound']);
  expect(of(null)).toMatchObject({ state: 'wrong', seen: 'there are no tables yet' });
  expect(of(['1-begin'])).toMatchObject({ state: 'wrong', seen: expect.stringContaining('2-more') });
  expect(of([...all, '3-newer'], '1.1.0')).toMatchObject({ state: 'doubtful', seen: expect.stringContaining('newer Formwire, which has 3-newer') });
  expect(of([...all, '3-newer'], '1.3.0')).toMatchObject({ state: 'wrong', seen: 'needs Formwire 1.3.0 or newer, and this is 1.2.0' });
});

test('NATS is new enough and takes large messages', () => {
  const maxPayload = 2 * 1024 * 1024;
  expect(serverFinding({ version: '2.9.15', maxPayload, isCluster: false }).state).toBe('sound');
  expect(serverFinding({ version: '2.8.4', maxPayload, isCluster: false }).state).toBe('wrong');
  expect(serverFinding({ version: '2.9.15', maxPayload, isCluster: true }).state).toBe('doubtful');
  expect(serverFinding({ version: '2.10.27', maxPayload: 1024 * 1024, isCluster: false })).toMatchObject({ state: 'wrong', mend: expect.stringContaining('max_payload') });
});

test('the stream is as configured, with no limit but age', () => {
  const settings = { replicas: 1, maxAgeMs: 3_600_000 };
  const config = { subjects: ['events.>'], storage: 'file', num_replicas: 1, max_age: 3_600_000 * 1e6, max_msgs: -1, max_bytes: -1, max_msgs_per_subject: -1 };
  const of = (change: object) => streamFindings({ config: { ...config, ...change } as unknown as Parameters<typeof streamFindings>[0]['config'] }, settings).filter(({ state }) => state !== 'sound').map(({ check }) => check);
  expect(of({})).toEqual([]);
  expect([of({ subjects: ['other.>'] }), of({ max_bytes: 10 }), of({ storage: 'memory' }), of({ num_replicas: 0 }), of({ max_age: 1 })]).toEqual([['stream'], ['stream limits'], ['stream storage'], ['stream copies'], ['stream age']]);
  expect(states([consumersFinding([true, true]), consumersFinding([true, false])])).toEqual(['sound', 'doubtful']);
});

test('each copy of the stream is where its leader is', () => {
  const replica = { name: 'nats-2', current: true, offline: false, active: 0 };
  const of = (...replicas: (typeof replica)[]) => copiesFindings({ cluster: { leader: 'nats-1', replicas } } as unknown as Parameters<typeof copiesFindings>[0]);
  expect([of(replica), copiesFindings({ cluster: undefined } as unknown as Parameters<typeof copiesFindings>[0])]).toEqual([[], []]);
  for (const behind of [{ ...replica, current: false }, { ...replica, offline: true }]) {
    expect(of({ ...replica, name: 'nats-3' }, behind)).toMatchObject([{ state: 'doubtful', seen: 'not up to date on nats-2; nats-1 leads' }]);
  }
});

test('somebody does the work, and keeps up with it', () => {
  const owner = newId('dsp');
  const fine = { dispatchers: [{ id: owner, expiresInMs: 1 }], partitions: [{ partition: 0, owner, expiresInMs: 1 }], outbox: { events: 3, oldestAgeMs: 400 } };
  const complete = { missing: 0, checkedAt: new Date() };
  const found = (change: Partial<typeof fine> = {}, missing = 0) => checkWork({ ...fine, ...change }, { ...complete, missing }).filter(({ state }) => state !== 'sound').map(({ check, state }) => [check, state]);
  expect(found()).toEqual([]);
  expect(found({ dispatchers: [] })).toEqual([['dispatchers', 'wrong']]);
  expect(checkWork({ ...fine, partitions: [{ partition: 0, owner: null, expiresInMs: null }] }, complete).filter(({ state }) => state === 'doubtful')).toMatchObject([{ check: 'partitions', seen: 'nobody owns 0' }]);
  expect(found({ outbox: { events: 3, oldestAgeMs: 61_000 } })).toEqual([['outbox', 'doubtful']]);
  expect(found({}, 2)).toEqual([['completeness', 'wrong']]);
});

test('what holds keys is for its owner’s eyes', () => {
  using data = createTemporaryDirectory();
  const directory = path.join(data.path, 'data');
  expect(checkDataDirectory(directory, ['key'])).toMatchObject([{ state: 'doubtful' }]);
  mkdirSync(directory);
  writeFileSync(path.join(directory, 'key'), '', { mode: 0o600 });
  expect(checkDataDirectory(directory, ['key', 'other']).filter(({ check }) => check !== 'disk').map(({ state }) => state)).toEqual(['sound']);
  writeFileSync(path.join(directory, 'other'), '', { mode: 0o644 });
  expect(checkDataDirectory(directory, ['key', 'other'])).toContainEqual({ check: 'permissions', state: 'wrong', seen: 'others may read other', mend: `Run: chmod 600 ${path.join(directory, 'other')}` });
});
