import { providerNamed } from '../../../integrations/index.ts';
import { countOf } from '../../console/words.ts';
import { resealAll } from '../../integrations/reseal.ts';
import { readKeysInUse } from '../../integrations/sealing-keys-in-use.ts';
import { createSealer, nameOf } from '../../sealing.ts';
import { sealingKeys } from '../sealing-keys.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { auditLog } from './operator.ts';
import { operatorCommand } from './operator-command.ts';
import { jsonArgument, paint, printJson, printLines } from './print.ts';

export const resealCommand = operatorCommand({
  args: jsonArgument,
  run: async ({ args, config }) => {
    const keys = sealingKeys(config);
    const [present, ...old] = keys.map(nameOf);
    const result = await withDatabase(findInstallation(config), async (pool) => {
      const resealed = await resealAll({ pool, sealer: createSealer(keys), providerNamed, log: auditLog() });
      return { key: present ?? '', old, resealed, inUse: Object.fromEntries(await readKeysInUse(pool, providerNamed)) };
    });
    if (args.json) printJson(result);
    else printLines(resultLines(result));
    return leftIn(result).length > 0 ? 'found' : 'fine';
  },
});

interface Result {
  /** The name of the present key, and those of the older ones in the configuration. */
  key: string;
  old: string[];
  /** Integrations that were sealed anew. */
  resealed: number;
  /** Integrations by the names of the keys that seal their secrets. */
  inUse: Record<string, number>;
}

const leftIn = ({ key, inUse }: Result): [string, number][] => Object.entries(inUse).filter(([name]) => name !== key);

function resultLines(result: Result): string[] {
  const { key, old, resealed } = result;
  const left = leftIn(result);
  return [
    `${countOf(resealed, 'integration')} sealed anew by ${key}.`,
    ...left.map(([name, count]) => paint('red', `${countOf(count, 'integration')} still sealed by ${name}, ${old.includes(name) ? 'changed just now: run this again' : 'a key that is not configured: formwire doctor tells which'}.`)),
    ...(left.length === 0 && old.length > 0 ? [`Nothing is sealed by ${old.join(', ')} any more. Once every process has had ${key} as its FORMWIRE_SECRETS_KEY for a quarter of an hour, run this once more, and take FORMWIRE_SECRETS_OLD_KEYS away.`] : []),
  ];
}
