import { expect, test } from 'vitest';
import { createLooks } from '../../src/completeness/looks.ts';
import { newId } from '../../src/events/id.ts';

/** Looks that end when they are told to. */
function openEnded() {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    begun,
    end: (name: string) => ends.get(name)?.(),
    look: (name: string) => () => {
      begun.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    },
  };
}

test('an organisation has a few at a time, in their order, and others do not wait for it', async () => {
  const [one, other] = [newId('org'), newId('org')];
  const { begun, end, look } = openEnded();
  const looks = createLooks({ atOnce: 2, waiting: 5 });
  const all = ['a', 'b', 'c', 'd'].map((name) => looks(one, look(name)));
  const elsewhere = looks(other, look('x'));
  await Promise.resolve();
  expect(begun.toSorted()).toEqual(['a', 'b', 'x']);
  end('b');
  await expect.poll(() => begun).toContain('c');
  for (const name of ['a', 'c', 'x']) end(name);
  await expect.poll(() => begun).toContain('d');
  end('d');
  expect(await Promise.all([...all, elsewhere])).toEqual(['a', 'b', 'c', 'd', 'x']);
});

test('past those that wait it is refused, with the time to come back, and the place of one that failed is free', async () => {
  const organizationId = newId('org');
  const { end, look } = openEnded();
  const looks = createLooks({ atOnce: 1, waiting: 1 });
  const [first, second] = [looks(organizationId, look('a')), looks(organizationId, () => Promise.reject(new Error('no')))];
  await expect(looks(organizationId, look('c'))).rejects.toMatchObject({ code: 'OVERLOADED', retryAfterMs: 2_000 });
  end('a');
  await first;
  await expect(second).rejects.toThrow('no');
  await expect(looks(organizationId, () => Promise.resolve('free'))).resolves.toBe('free');
});
