import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { newId, timeOf } from '../../src/events/id.ts';
import { traceIdOf } from '../../src/tracing/trace-id.ts';

describe('the trace of an event', () => {
  test('is its id, in 32 hexadecimal digits, that begin with its time', () => {
    expect(traceIdOf('evt_01h455vb4pex5vsknk084sn02q')).toBe('01890a5dac96774bbcceb302099a8057');
    const id = newId('evt');
    expect(traceIdOf(id)).toMatch(/^[0-9a-f]{32}$/);
    expect(Number.parseInt(traceIdOf(id).slice(0, 12), 16)).toBe(timeOf(id));
  });
});

test('OpenTelemetry is loaded by nobody but src/tracing, and that only on demand', () => {
  const root = path.resolve(import.meta.dirname, '../..');
  const loading = globSync(['src/**/*.ts', 'integrations/**/*.ts'], { cwd: root }).filter((file) => {
    const source = readFileSync(path.join(root, file), 'utf8');
    const statements = source.match(/^(import|export) (?!type\b).*from '.*';$/gm) ?? [];
    return !file.startsWith('src/tracing/') && statements.some((line) => /'@opentelemetry|\/tracing\//.test(line));
  });
  expect(loading).toEqual([]);
});
