import path from 'node:path';
import type { Pool } from 'pg';
import { providerNamed } from '../../../integrations/index.ts';
import { readCompleteness } from '../../completeness/missing-rows.ts';
import { parseConfig, type Config } from '../../config.ts';
import { checkDatabase } from '../../console/checks/database-checks.ts';
import { attempted, doubtful, saidBy, sound, wrong, type Finding } from '../../console/checks/finding.ts';
import { checkDataDirectory } from '../../console/checks/machine-checks.ts';
import { checkProcesses } from '../../console/checks/process-checks.ts';
import { checkSecrets } from '../../console/checks/secrets-check.ts';
import { checkStream } from '../../console/checks/stream-checks.ts';
import { checkWork } from '../../console/checks/work-checks.ts';
import { readDatabaseState } from '../../console/database-state.ts';
import { migrationNames } from '../../db/migrate.ts';
import { withStream } from '../../console/stream-state.ts';
import { oneLine } from '../../console/table.ts';
import { createSealer } from '../../sealing.ts';
import { keptFileIsThere } from '../kept-file.ts';
import { sealingKeys, sealingKeyFile } from '../sealing-keys.ts';
import { oldKeys, signingKey, signingKeyFile } from '../signing-key.ts';
import { runningFile } from '../running.ts';
import { findInstallation, withDatabase, type Installation } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, printJson, printLines } from './print.ts';
import { readReadiness } from './readiness.ts';

export const doctorCommand = operatorCommand({
  args: jsonArgument,
  run: async ({ args }) => {
    const findings = await examine();
    if (args.json) printJson(findings);
    else printLines(findings.flatMap(findingLines));
    return findings.some(({ state }) => state !== 'sound') ? 'found' : 'fine';
  },
});

/** From what everything else needs to what needs everything else. */
async function examine(): Promise<Finding[]> {
  let config: Config;
  try {
    config = parseConfig(process.env);
  } catch (error) {
    return [wrong('configuration', saidBy(error), 'Mend these variables; ops/README.md lists all.')];
  }
  const directory = path.resolve(config.FORMWIRE_DATA);
  const here = [sound('configuration', 'every variable makes sense'), ...keyFindings(config), ...(config.DATABASE_URL && config.NATS_URL ? [] : checkDataDirectory(directory, [signingKeyFile, sealingKeyFile, runningFile]))];
  try {
    return [...here, ...(await examineServers(config, findInstallation(config)))];
  } catch (error) {
    return [...here, wrong('installation', saidBy(error), 'Run: formwire start')];
  }
}

async function examineServers(config: Config, installation: Installation): Promise<Finding[]> {
  const settings = { replicas: config.FORMWIRE_STREAM_REPLICAS, maxAgeMs: config.FORMWIRE_STREAM_MAX_AGE };
  const [database, stream, api] = await Promise.all([
    attempted('PostgreSQL', 'See that it runs, and that DATABASE_URL names it with a user and password that it takes.', () => withDatabase(installation, (pool) => examineDatabase(config, pool))),
    attempted('NATS', 'See that it runs with JetStream (-js), that NATS_URL names it, and that it takes who we are.', () => {
      if (installation.nats === undefined) return [doubtful('NATS', 'where it is, is not known here', 'Set NATS_URL.')];
      return withStream(installation.nats, (connection) => checkStream(connection, settings));
    }),
    readReadiness(installation.apiUrl),
  ]);
  const apiFinding = api.reasons.length === 0 ? sound('API', api.url ?? 'not known here') : doubtful('API', `${api.url} ${api.reasons.join(' ')}`, 'If it should run here, see its log; HOST and PORT say where it is looked for.');
  return [...database, ...stream, apiFinding];
}

async function examineDatabase(config: Config, pool: Pool): Promise<Finding[]> {
  const findings = await checkDatabase(pool, { migrations: migrationNames(), connectionsOfProcess: config.FORMWIRE_DATABASE_CONNECTIONS });
  if (findings.some(({ check, state }) => check === 'schema' && state === 'wrong')) return findings; // the rest reads tables
  const secrets = hasSealingKey(config) ? await checkSecrets(pool, { sealer: createSealer(sealingKeys(config)), providerNamed }) : [];
  const state = await readDatabaseState(pool);
  return [...findings, ...secrets, ...checkProcesses(state.processes), ...checkWork(state, await readCompleteness(pool))];
}

/** Looks without making any: a start makes those that are missing, beside embedded servers. */
function keyFindings(config: Config): Finding[] {
  const isMade = (variable: string | undefined, file: string): boolean => variable !== undefined || config.DATABASE_URL !== undefined || keptFileIsThere(config, file);
  const look = (check: string, isThere: boolean, read: () => unknown): Finding => {
    if (!isThere) return doubtful(check, 'there is none yet', 'The first start makes one, in the data directory. Where the data is of an earlier installation, bring the file of that.');
    try {
      read();
      return sound(check, 'is one');
    } catch (error) {
      return wrong(check, saidBy(error), 'Give every process of the installation the same one.');
    }
  };
  return [
    look('signing key', isMade(config.FORMWIRE_JWT_KEY, signingKeyFile), () => [signingKey(config), oldKeys(config)]),
    look('secrets key', isMade(config.FORMWIRE_SECRETS_KEY, sealingKeyFile), () => sealingKeys(config)),
  ];
}

function hasSealingKey(config: Config): boolean {
  return keyFindings(config).some(({ check, state }) => check === 'secrets key' && state === 'sound');
}

const marks = { sound: ['green', '✓'], doubtful: ['yellow', '!'], wrong: ['red', '✗'] } as const;

function findingLines({ check, state, seen, mend }: Finding): string[] {
  const [colour, mark] = marks[state];
  return [`${paint(colour, mark)} ${check.padEnd(16)}${oneLine(seen)}`, ...(mend === undefined ? [] : [`${' '.repeat(18)}→ ${oneLine(mend)}`])];
}
