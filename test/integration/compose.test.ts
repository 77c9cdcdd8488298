import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { parse } from 'yaml';
import { sealingKeys } from '../../src/bin/sealing-keys.ts';
import { signingKey } from '../../src/bin/signing-key.ts';
import { stopBoundMs } from '../../src/bin/stopping.ts';
import { millisecondsOf, parseConfig, roles, type Config } from '../../src/config.ts';
import { mountsOf, readComposeFile, readRepository, repository, requiredVariables, type Service } from '../support/compose-file.ts';
import { copiedFromRepository, readCopy, readStages } from '../support/dockerfile.ts';
import { importsOf } from '../support/imports.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const dotEnv = {
  FORMWIRE_JWT_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  FORMWIRE_SECRETS_KEY: Buffer.alloc(32, 'compose').toString('base64'),
  POSTGRES_PASSWORD: 'postgres-password',
  GRAFANA_PASSWORD: 'grafana-password',
};
const { services, networks, volumes } = readComposeFile(dotEnv);
const each = Object.entries(services);
const named = (name: string): Service => services[name] ?? expect.fail(`there is no service ${name}`);
const configOf = ({ environment = {} }: Service): Config => {
  const ours = Object.entries(environment).filter(([name]) => name !== 'NODE_OPTIONS');
  return parseConfig(Object.fromEntries(ours.map(([name, value]) => [name, String(value)])));
};
const formwires = each.filter(([, { image }]) => image === 'formwire');
const natsServers = each.filter(([, { image = '' }]) => image.startsWith('nats:')).map(([name]) => name);
/** Where a Formwire answers probes and gives its metrics. */
const portOf = (service: Service): number => {
  const { FORMWIRE_ROLES, PORT, FORMWIRE_PROBE_PORT } = configOf(service);
  return FORMWIRE_ROLES.includes('api') ? PORT : FORMWIRE_PROBE_PORT;
};
const shared = (one: string, other: string): string[] => (named(one).networks ?? []).filter((network) => named(other).networks?.includes(network));

test('the first lines make every variable without which compose does not start', () => {
  const made = [...readRepository('docker-compose.yml').matchAll(/^#\s+echo "(\w+)=/gm)].map(([, name]) => name);
  expect(new Set(made)).toEqual(new Set(requiredVariables()));
  expect(new Set(made)).toEqual(new Set(Object.keys(dotEnv)));
});

describe.each(each)('the service %s', (name, service) => {
  test('has an image of a known version, or is built', () => {
    if (service.image === 'formwire') expect(Object.values(services).some(({ image, build }) => image === 'formwire' && build)).toBe(true);
    else expect(service.image).toMatch(/:v?\d+/);
  });

  test('comes back by itself, says when it is well, and cannot take all of the machine', () => {
    expect(service.restart).toBe('unless-stopped');
    expect(service.healthcheck?.test.slice(0, 1)).toEqual(['CMD']);
    expect(service.healthcheck?.test.length).toBeGreaterThan(2);
    expect(Number(service.deploy?.resources?.limits?.cpus)).toBeGreaterThan(0);
    expect(service.deploy?.resources?.limits?.memory).toMatch(/^\d+[mg]$/);
    expect(service.logging?.options).toMatchObject({ 'max-size': expect.any(String), 'max-file': expect.any(String) });
  });

  test('may do no more than it needs, and is open to this machine only', () => {
    expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] });
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(service.ports === undefined || service.networks?.some((network) => !networks[network]?.internal)).toBe(true);
  });

  test('names services, networks, volumes and files that are there', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(other).not.toBe(name);
      expect([condition, named(other).healthcheck !== undefined]).toEqual(['service_healthy', true]);
    }
    expect((service.networks ?? []).filter((network) => !(network in networks))).toEqual([]);
    expect(service.networks?.length).toBeGreaterThan(0);
    for (const { source, isReadOnly } of mountsOf(service)) {
      if (source.startsWith('.')) expect([source, existsSync(path.join(repository, source)), isReadOnly]).toEqual([source, true, true]);
      else expect(volumes).toHaveProperty(source);
    }
  });
});

test('no network or volume is left over', () => {
  const used = each.flatMap(([, service]) => [...(service.networks ?? []), ...mountsOf(service).map(({ source }) => source)]);
  expect([...Object.keys(networks), ...Object.keys(volumes)].filter((name) => !used.includes(name))).toEqual([]);
});

describe('Formwire', () => {
  test('has each role twice', () => {
    for (const role of roles) {
      const count = formwires.filter(([, service]) => configOf(service).FORMWIRE_ROLES.includes(role)).reduce((sum, [, { deploy }]) => sum + (deploy?.replicas ?? 1), 0);
      expect([role, count]).toEqual([role, 2]);
    }
  });

  test.each(formwires)('%s is configured as the configuration wants it, down to its keys', (_, service) => {
    const config = configOf(service);
    expect(config.DATABASE_URL).toBe('postgresql://formwire:postgres-password@postgres:5432/formwire');
    expect(config.NATS_URL?.split(',').map((url) => new URL(url).hostname)).toEqual(natsServers);
    expect(config.FORMWIRE_STREAM_REPLICAS).toBe(natsServers.length);
    expect([signingKey(config), sealingKeys(config).length]).toEqual([dotEnv.FORMWIRE_JWT_KEY, 1]);
    expect(config.FORMWIRE_ALLOW_LOOPBACK).toBeUndefined();
  });

  test.each(formwires)('%s is asked where it answers, and has time to drain', (_, service) => {
    expect(service.healthcheck?.test.join(' ')).toContain(`http://127.0.0.1:${portOf(service)}/readyz`);
    expect(millisecondsOf(service.stop_grace_period ?? '')).toBeGreaterThanOrEqual(stopBoundMs(configOf(service)));
  });

  test.each(formwires)('%s waits for all that it uses', (name, service) => {
    expect(Object.keys(service.depends_on ?? {}).toSorted()).toEqual(['postgres', ...natsServers].toSorted());
    for (const other of ['postgres', ...natsServers]) expect(shared(name, other)).toHaveLength(1);
    expect(service.networks?.some((network) => !networks[network]?.internal), 'receivers are outside').toBe(true);
  });
});

describe('NATS', () => {
  const conf = readRepository('ops/nats-cluster.conf');

  test('has three servers, each with a name and a store of its own, and routes to all', () => {
    expect(natsServers).toHaveLength(3);
    for (const name of natsServers) expect(named(name).environment?.['NATS_SERVER_NAME']).toBe(name);
    expect([...conf.matchAll(/nats:\/\/([\w-]+):6222/g)].map(([, host]) => host)).toEqual(natsServers);
    const stores = natsServers.flatMap((name) => mountsOf(named(name)).filter(({ target }) => target === '/var/lib/nats').map(({ source }) => source));
    expect(new Set(stores).size).toBe(3);
    expect(readRepository('ops/nats.conf')).toContain('store_dir: "/var/lib/nats"');
  });

  test('has its configuration beside the one that it includes, and takes it', () => {
    for (const name of natsServers) {
      const targets = mountsOf(named(name)).map(({ target }) => target);
      expect(named(name).command).toEqual(['-c', '/etc/nats/nats-cluster.conf']);
      expect(targets).toEqual(expect.arrayContaining(['/etc/nats/nats.conf', '/etc/nats/nats-cluster.conf']));
    }
    const env = { ...process.env, NATS_SERVER_NAME: 'nats-1' };
    const { status, stdout, stderr } = spawnSync(inject('natsServerBinary'), ['-t', '-c', path.join(repository, 'ops/nats-cluster.conf')], { env, encoding: 'utf8' });
    expect([status, `${stdout}${stderr}`]).toEqual([0, expect.stringContaining('is valid')]);
  });
});

test('PostgreSQL is given settings of the file that is mounted, and keeps its data in the volume', () => {
  const { command = [] } = named('postgres');
  const settings = Object.fromEntries(command.filter((word) => word.startsWith('-c')).map((word) => word.slice(2).split('=')));
  const targets = mountsOf(named('postgres')).map(({ target }) => target);
  expect(targets).toEqual(expect.arrayContaining([settings['config_file'], '/var/lib/postgresql']));
  expect(settings['listen_addresses']).toBe('*');
  const most = Number(/^max_connections = (\d+)$/m.exec(readRepository('ops/postgresql.conf'))?.[1]);
  const taken = formwires.reduce((sum, [, service]) => sum + (service.deploy?.replicas ?? 1) * configOf(service).FORMWIRE_DATABASE_CONNECTIONS, 0);
  expect(taken).toBeLessThan(most / 2);
});

test('the proxy listens where it is published, and finds every API', () => {
  const conf = readRepository('ops/haproxy.cfg');
  const [, bound] = /^ {2}bind :(\d+)$/m.exec(conf) ?? [];
  expect(named('proxy').ports).toEqual([`127.0.0.1:4000:${bound}`]);
  const [, room, host = '', port] = /server-template api- (\d+) (\w+):(\d+)/.exec(conf) ?? [];
  expect(Number(port)).toBe(portOf(named(host)));
  expect(Number(room)).toBeGreaterThanOrEqual(2 * (named(host).deploy?.replicas ?? 1));
  const { FORMWIRE_TRUSTED_PROXIES, FORMWIRE_STOP_DELAY } = configOf(named(host));
  expect(FORMWIRE_TRUSTED_PROXIES).toBe(1);
  const [, every = '', times] = / check inter (\w+) fall (\d+) /.exec(conf) ?? [];
  expect(FORMWIRE_STOP_DELAY, 'it notices before requests are refused').toBeGreaterThan((Number(times) + 1) * (millisecondsOf(every) ?? Infinity));
  expect(shared('proxy', host)).toHaveLength(1);
});

describe('Prometheus', () => {
  const config = parse(readRepository('ops/prometheus.yml')) as { rule_files: string[]; scrape_configs: { dns_sd_configs: { names: string[]; type: string; port: number }[] }[] };

  test('asks every Formwire once, where it gives its metrics', () => {
    const asked = config.scrape_configs.flatMap(({ dns_sd_configs }) => dns_sd_configs.flatMap(({ names, port }) => names.map((name) => [name, port] as const)));
    expect(asked).toHaveLength(formwires.length);
    expect(new Map(asked)).toEqual(new Map(formwires.map(([name, service]) => [name, portOf(service)])));
    // the name has an address for each network that both are in
    for (const [name] of formwires) expect(shared('prometheus', name)).toHaveLength(1);
  });

  test('reads its configuration and the rules from files that are mounted', () => {
    const { command = [] } = named('prometheus');
    const targets = mountsOf(named('prometheus')).map(({ target }) => target);
    const [, file = ''] = /--config\.file=(\S+)/.exec(command.join(' ')) ?? [];
    const [, data] = /--storage\.tsdb\.path=(\S+)/.exec(command.join(' ')) ?? [];
    expect(targets).toEqual(expect.arrayContaining([file, data, ...config.rule_files.map((rules) => path.join(path.dirname(file), rules))]));
  });
});

describe('Grafana', () => {
  const targets = mountsOf(named('grafana')).map(({ target }) => target);

  test('is given Prometheus as its source of data', () => {
    expect(targets).toContain('/etc/grafana/provisioning/datasources/formwire.yml');
    const { datasources } = parse(readRepository('ops/grafana/datasources.yml')) as { datasources: { type: string; url: string; isDefault: boolean }[] };
    expect(datasources).toEqual([expect.objectContaining({ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true })]);
    expect(shared('grafana', 'prometheus')).toHaveLength(1);
  });

  test('shows the dashboard from where it is mounted', () => {
    expect(targets).toContain('/etc/grafana/provisioning/dashboards/formwire.yml');
    const { providers } = parse(readRepository('ops/grafana/dashboards.yml')) as { providers: { options: { path: string } }[] };
    const shown = mountsOf(named('grafana')).filter(({ target }) => path.dirname(target) === providers[0]?.options.path);
    expect(shown.map(({ source }) => source)).toEqual(['./ops/dashboard.json']);
    expect(named('grafana').environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']).toBe(shown[0]?.target);
  });
});

describe('the image', () => {
  const [build] = each.flatMap(([, service]) => service.build ?? []);
  const stages = readStages(readRepository(build?.dockerfile ?? ''));
  const copied = copiedFromRepository(stages);

  test('is built in two stages on a known version, and runs as nobody in particular', () => {
    expect(stages.length).toBe(2);
    for (const { base } of stages) expect(base).toMatch(/^node:24-/);
    expect(stages.at(-1)?.instructions.filter(({ name }) => name === 'USER')).toEqual([{ name: 'USER', rest: 'node' }]);
    const named = new Set(['', ...stages.map(({ name }) => name)]);
    const froms = stages.flatMap(({ instructions }) => instructions.filter(({ name }) => name === 'COPY').map((copy) => readCopy(copy).from));
    expect(froms.filter((from) => !named.has(from))).toEqual([]);
  });

  test('copies what exists, and the .dockerignore lets through that and nothing else', () => {
    expect(copied.filter((source) => !existsSync(path.join(repository, source)))).toEqual([]);
    const lines = readRepository('.dockerignore').split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(lines[0]).toBe('*');
    expect(lines.slice(1).toSorted()).toEqual([...new Set(copied)].map((source) => `!${source}`).toSorted());
  });

  test('has every file that the program imports, and no package that only developers have', () => {
    const { files, packages } = importsOf(['src/bin/formwire.ts', 'src/bin/formwire.mjs', 'src/bin/launch.mjs'], repository);
    expect(files.size).toBeGreaterThan(300);
    expect([...files].filter((file) => !copied.some((source) => file === source || file.startsWith(`${source}/`)))).toEqual([]);
    const { dependencies } = JSON.parse(readRepository('package.json')) as { dependencies: Record<string, string> };
    expect([...packages].filter((name) => !(name in dependencies))).toEqual([]);
    expect(packages.size).toBeGreaterThan(20);
  });
});
