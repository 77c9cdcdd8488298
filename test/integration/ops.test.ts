import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, beforeEach, describe, expect, inject, test } from 'vitest';
import '../support/provided.ts';
import { openTestPool } from '../support/database.ts';
import { startProduct } from '../support/product.ts';
import { findPromtool, promtool } from '../support/promtool.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const ops = path.resolve(import.meta.dirname, '../../ops');
const read = (name: string): string => readFileSync(path.join(ops, name), 'utf8');
const all = (pattern: RegExp, text: string): string[] => [...text.matchAll(pattern)].map((match) => match[1] ?? '');

interface Panel {
  id: number;
  title: string;
  type: string;
  targets?: { expr: string }[];
}
const rules = read('alerts.yml');
const alerts = all(/- alert: (\w+)/g, rules);
const panels = (JSON.parse(read('dashboard.json')) as { panels: Panel[] }).panels;
const shown = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('alerts', () => {
  test('have a runbook, a test and a severity each, and there are no others', () => {
    expect(alerts.length).toBeGreaterThan(15);
    expect(all(/^## (\w+)$/gm, read('runbook.md'))).toEqual(alerts);
    expect(all(/^ {2}- name: (\w+)$/gm, read('alerts.test.yml'))).toEqual(alerts);
    expect(all(/severity: (page|ticket) /g, rules)).toHaveLength(alerts.length);
  });

  test('are explained in three steps: what it means, what to look at, what to do', () => {
    const sections = read('runbook.md').split(/^## /m).slice(1);
    const steps = sections.map((section) => all(/^\*\*(\w+)\.\*\*/gm, section));
    expect(steps).toEqual(sections.map(() => ['Means', 'Look', 'Do']));
  });
});

test('every metric that a rule or a panel names is told by the product', async () => {
  await using product = await startProduct({ FORMWIRE_PUBLIC_URL: 'https://127.0.0.1:1' });
  const families = new Map<string, string>();
  const look = async (): Promise<Map<string, string>> => {
    const text = await (await fetch(`${product.url}/metrics`)).text();
    for (const [, name = '', type = ''] of text.matchAll(/^# TYPE (\S+) (\S+)$/gm)) families.set(name, type);
    return families;
  };
  await expect.poll(async () => (await look()).has('formwire_outbox_events'), { timeout: 15_000 }).toBe(true);

  const named = new Set([...all(/expr: (.*(?:\n {10}.*)*)/g, rules), ...shown].flatMap((expr) => all(/\b((?:formwire|nodejs|process)_[a-z0-9_]+)\b/g, expr)));
  const isTold = (name: string): boolean => families.has(name) || families.get(name.replace(/_(bucket|sum|count)$/, '')) === 'histogram';
  expect(named.size).toBeGreaterThan(35);
  expect([...named].filter((name) => !isTold(name))).toEqual([]);
  const ours = [...families.keys()].filter((name) => name.startsWith('formwire_'));
  expect(ours.filter((name) => ![...named].some((one) => one.startsWith(name))), 'metrics that nobody looks at').toEqual([]);
});

test('the dashboard has panels of different ids with a title and something to show', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  for (const { title, type, targets = [] } of panels) expect([title !== '', type === 'row' || targets.length > 0], title).toEqual([true, true]);
});

describe('by Prometheus\' own checker', () => {
  let binary = '';
  let reason = '';
  beforeAll(async () => {
    const found = await findPromtool();
    if ('binary' in found) ({ binary } = found);
    else ({ reason } = found);
    // It may not be to be had here; where it must be, as in .ci/run, that is a failure.
    if (reason && process.env['PROMTOOL'] === 'required') throw new Error(`There is no promtool: ${reason}`);
  }, 300_000);
  beforeEach(({ skip }) => skip(binary === '', `There is no promtool: ${reason}`));

  test('the rules are sound, and the configuration that reads them', () => {
    expect(promtool(binary, ['check', 'rules', path.join(ops, 'alerts.yml')])).toMatchObject({ ok: true });
    expect(promtool(binary, ['check', 'config', path.join(ops, 'prometheus.yml')])).toMatchObject({ ok: true });
  });

  test('each alert fires when it should, alone, and not before', () => {
    const { ok, said } = promtool(binary, ['test', 'rules', path.join(ops, 'alerts.test.yml')]);
    expect(ok, said).toBe(true);
  });

  test('what the dashboard asks is PromQL', () => {
    using directory = createTemporaryDirectory();
    const file = path.join(directory.path, 'shown.yml');
    const asRules = shown.map((expr, index) => ({ record: `shown:${index}`, expr: expr.replaceAll('$__rate_interval', '5m') }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'shown', rules: asRules }] }));
    const { ok, said } = promtool(binary, ['check', 'rules', file]);
    expect(ok, said).toBe(true);
  });
});

test('nats-server takes its configuration', () => {
  const { status, stderr, stdout } = spawnSync(inject('natsServerBinary'), ['-t', '-c', path.join(ops, 'nats.conf')], { encoding: 'utf8' });
  expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('is valid')]);
});

test('PostgreSQL takes its settings, names and values', async () => {
  const settings = [...read('postgresql.conf').matchAll(/^(\w+) = (.+)$/gm)].map(([, name = '', value = '']) => ({ name, value }));
  expect(settings.length).toBeGreaterThan(15);
  const pool = openTestPool(inject('postgresAdminUrl'), 1);
  const known = await pool.query<{ name: string; vartype: string; unit: string | null; enumvals: string[] | null }>('select name, vartype, unit, enumvals from pg_settings where name = any($1)', [settings.map(({ name }) => name)]);
  await pool.end();
  const types = new Map(known.rows.map((row) => [row.name, row]));
  const fits = ({ name, value }: { name: string; value: string }): boolean => {
    const type = types.get(name);
    if (type?.vartype === 'bool') return ['on', 'off'].includes(value);
    if (type?.vartype === 'enum') return type.enumvals?.includes(value) ?? false;
    return type !== undefined && /^-?\d+(\.\d+)?(ms|s|min|kB|MB|GB)?$/.test(value);
  };
  expect(settings.filter((setting) => !fits(setting))).toEqual([]);
});
