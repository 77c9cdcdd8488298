import type { Pool } from 'pg';
import { createOperatorKey, revokeOperatorKey } from '../../accounts/operator-keys.ts';
import type { Id } from '../../events/id.ts';
import { scopes, type Scope } from '../../graphql/viewer.ts';
import { WrongUse } from '../exit-codes.ts';
import { findInstallation, withDatabase } from './installation.ts';
import { auditLog, operatorName } from './operator.ts';
import { operatorCommand } from './operator-command.ts';
import { chooseOrganization } from './organization.ts';
import { jsonArgument, printJson } from './print.ts';
import { readArgument } from './read-argument.ts';

const longestMs = 30 * 86_400_000;

export const tokenCommand = operatorCommand({
  args: {
    ...jsonArgument,
    organization: { type: 'string', valueHint: 'org_…', description: 'Of which organisation; needed where there are several.' },
    scopes: { type: 'string', default: 'operate', valueHint: 'scopes', description: `What it may do: ${scopes.join(', ')}, separated by commas.` },
    valid: { type: 'string', default: '1h', valueHint: 'duration', description: 'How long, at most 720h.' },
    revoke: { type: 'string', valueHint: 'key_…', description: 'End this key instead.' },
  },
  run: async ({ args, config }) => {
    const validMs = readArgument.duration('valid', args.valid);
    if (validMs < 1_000 || validMs > longestMs) throw new WrongUse('--valid is from 1s to 720h.');
    const organizationId = readArgument.id('organization', 'org', args.organization);
    const revoked = readArgument.id('revoke', 'key', args.revoke);
    const wanted = readScopes(args.scopes);
    await withDatabase(findInstallation(config), async (pool) => {
      if (revoked) return revoke(pool, revoked);
      const made = await makeToken(pool, { organizationId: await chooseOrganization(pool, organizationId), scopes: wanted, validMs, purpose: 'token' });
      if (args.json) printJson(made);
      else process.stdout.write(`${made.key}\n`);
    });
    return 'fine';
  },
});

/** Makes a key that tells in its name who made it, and says so in the log. Throws where the organisation cannot have one. */
export async function makeToken(
  pool: Pool,
  { organizationId, scopes: wanted, validMs, purpose }: { organizationId: Id<'org'>; scopes: readonly Scope[]; validMs: number; purpose: string },
) {
  const operator = operatorName();
  const made = await createOperatorKey(pool, { organizationId, name: `formwire ${purpose}, ${operator}`.slice(0, 200), scopes: wanted, validMs });
  if (!made) throw new Error(`There is no organisation ${organizationId} with an owner.`);
  auditLog().info({ keyId: made.id, organizationId, scopes: wanted, expiresAt: made.expiresAt, operator, purpose }, 'operator.key_created');
  return made;
}

async function revoke(pool: Pool, keyId: Id<'key'>): Promise<void> {
  if (!(await revokeOperatorKey(pool, keyId))) throw new Error(`There is no ${keyId}.`);
  auditLog().info({ keyId, operator: operatorName() }, 'operator.key_revoked');
}

function readScopes(text: string): Scope[] {
  const chosen = text.split(',').map((word) => readArgument.oneOf('scopes', word.trim(), scopes));
  return scopes.filter((scope) => chosen.includes(scope));
}
