import { createOwnedDatabase } from './database.ts';
import { startInstallation } from './installation.ts';
import { restart, restartSettings } from './rolling-restart.ts';
import { firstNatsUser, rotations, type Rotation, type RotationWorld, type Step } from './rotations.ts';
import { startTraffic } from './traffic.ts';

export interface RotationOptions {
  /** Which keys are changed, all of them in the same restarts. */
  keys: (keyof typeof rotations)[];
  natsServers: number;
  /** Whether processes know the new keys from their start on, which spares a round of restarts. */
  areKnown?: boolean;
}

/**
 * Changes keys as ops/upkeep.md says, in rounds in which the APIs and the dispatchers are restarted one after the other, under
 * load: nobody notices, and in the end the new keys are taken everywhere and the old ones nowhere.
 */
export async function survivesKeyRotation({ keys, natsServers, areKnown = false }: RotationOptions): Promise<void> {
  const chosen = keys.map((key) => rotations[key]());
  await using database = await createOwnedDatabase();
  const settings = settingsOf(chosen, { areKnown });
  await using installation = await startInstallation({
    natsServers, databaseUrl: database.url, natsUsers: [firstNatsUser], settings: { ...restartSettings, DATABASE_URL: database.ownerUrl, ...settings },
  });
  await using traffic = await startTraffic(installation);
  await traffic.goesOn();
  const world = { installation, database, traffic, env: { ...installation.env } };
  await take(chosen.map(({ known: { before, change } }) => ({ ...(before && { before }), ...(change && !areKnown && { change }) })), world);
  await take(chosen.map(({ used }) => used), world);
  await take(chosen.map(({ gone }) => gone), world);
  for (const { isOver } of chosen) await isOver?.(world);
  await traffic.wentUndisturbed();
}

const settingsOf = (chosen: readonly Rotation[], { areKnown }: { areKnown: boolean }): Record<string, string> =>
  Object.assign({}, ...chosen.flatMap(({ settings, known }) => [settings, areKnown ? known.change?.() : undefined])) as Record<string, string>;

/** The same step for each key; then every process is restarted, if one of them asks for it. */
async function take(steps: readonly Step[], world: RotationWorld): Promise<void> {
  for (const { before } of steps) await before?.(world);
  const changes = steps.flatMap(({ change }) => (change ? [change(world)] : []));
  if (changes.length === 0) return;
  const change = Object.assign({}, ...changes) as Record<string, string>;
  Object.assign(world.env, change);
  const { installation: { apis, dispatchers }, traffic } = world;
  await Promise.all([apis, dispatchers].map(async (processes) => {
    for (const one of processes) {
      await restart(one, change);
      await traffic.goesOn(); // with some processes that have what is new beside some that have not
    }
  }));
}
