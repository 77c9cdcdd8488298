import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';

/** From the top down. A file may import from its own layer and from those below it. */
const layers = [
  ['src/bin'],
  ['src/monitoring', 'src/tracing'],
  ['src/api', 'src/live', 'src/dispatcher', 'src/console', 'src/backup'],
  ['src/db'],
  ['src/accounts', 'src/forms', 'src/responses', 'src/integrations', 'src/deliveries', 'src/jobs', 'src/replays', 'src/ledger', 'src/quotas', 'src/completeness', 'src/processes', 'src/retention'],
  ['src/outbox'],
  ['src/stream', 'src/graphql', 'src/outbound', 'src/rate-limits'],
  ['integrations'],
  ['src/events', 'src/expressions', 'src/columns.ts', 'src/bounded-cache.ts', 'src/bound-sql.ts', 'src/table-writers.ts', 'src/transaction.ts', 'src/calendar.ts', 'src/linear-pattern.ts', 'src/config.ts', 'src/log.ts', 'src/redaction.ts', 'src/request-scope.ts', 'src/run.ts', 'src/user-error.ts', 'src/storable.ts', 'src/email-address.ts', 'src/database-trouble.ts', 'src/sealing.ts', 'src/embedded', 'package.json'],
];
/** Beyond the layers: providers know the shared language only, and servers and sockets know nothing of us. */
const narrower: Record<string, string[]> = { integrations: ['integrations', 'src/events', 'src/expressions', 'src/bounded-cache.ts'], 'src/embedded': ['src/embedded', 'src/events'] };

const root = path.resolve(import.meta.dirname, '../..');
const placeOf = (file: string) => layers.flat().find((place) => file === place || file.startsWith(`${place}/`)) ?? `nowhere (${file})`;
const layerOf = (place: string) => layers.findIndex((layer) => layer.includes(place));

test('imports only point down', () => {
  const breaches = globSync(['src/**/*.ts', 'integrations/**/*.ts'], { cwd: root }).flatMap((file) =>
    [...readFileSync(path.join(root, file), 'utf8').matchAll(/from '(\.[^']+)'|import '(\.[^']+)'/g)].flatMap((match) => {
      const target = path.join(path.dirname(file), match[1] ?? match[2] ?? '');
      const [from, to] = [placeOf(file), placeOf(target)];
      const isAllowed = layerOf(from) >= 0 && layerOf(from) <= layerOf(to) && (narrower[from]?.includes(to) ?? true);
      return isAllowed ? [] : [`${file} imports ${target}`];
    }),
  );
  expect(breaches).toEqual([]);
});
