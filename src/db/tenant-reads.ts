import type { Pool, PoolClient } from 'pg';
import type { Viewer } from '../graphql/viewer.ts';
import type { Log } from '../log.ts';
import { openPool } from './pool.ts';
import { readerRole } from './reader-role.ts';

export interface TenantReadsOptions {
  url: string;
  max: number;
  log: Log;
  /** On whose behalf the caller reads, at this moment. */
  viewer: () => Viewer | undefined;
}

/**
 * A pool whose every statement sees the rows of one organisation only, the viewer's; without a viewer none at all. Its
 * connections have the role of the reader, to which the policies of the tables apply, and the policies ask for settings
 * of the connection: whoever borrows one gets it with the settings of their own viewer, or not at all.
 *
 * This holds against a predicate that was forgotten. It does not hold against who can make a statement of ours say what
 * they like: the settings can be changed in SQL, and so can the role, since the connection belongs to the owner's user.
 */
export function openTenantReads({ url, max, log, viewer }: TenantReadsOptions): Pool {
  const pool = openPool({ url: asReader(url), max, name: 'tenant', log });
  const bind = createBinding();
  const borrow = pool.connect.bind(pool);

  const borrowFor = async (settings: Settings): Promise<PoolClient> => {
    const client = await borrow();
    try {
      await bind(client, settings);
      return client;
    } catch (error) {
      client.release(true); // nobody knows which settings it has now
      throw error;
    }
  };

  const connect = (borrower?: Borrower): Promise<PoolClient> | void => {
    // asked now: when a connection is free, this runs in the context of whoever gives it back
    const borrowing = borrowFor(settingsOf(viewer()));
    if (!borrower) return borrowing;
    borrowing.then(
      (client) => borrower(undefined, client, (error) => client.release(error)),
      (error: unknown) => borrower(error as Error, undefined, () => undefined),
    );
  };
  pool.connect = connect as Pool['connect'];
  return pool;
}

type Borrower = (error: Error | undefined, client: PoolClient | undefined, done: (error?: Error | boolean) => void) => void;

interface Settings {
  /** Empty where they are no member of it any more. */
  organizationId: string;
  /** Of a person, who also sees themselves and where they are a member; empty for an API key. */
  userId: string;
}

function settingsOf(viewer: Viewer | undefined): Settings {
  if (viewer?.credential.kind !== 'session') return { organizationId: viewer?.organizationId ?? '', userId: '' };
  const { userId, organizationId, credential } = viewer;
  return { userId, organizationId: credential.role === 'none' ? '' : organizationId };
}

const bindSettings = {
  name: 'bind-settings',
  text: `
    select set_config('formwire.organization_id', $1, false), set_config('formwire.user_id', $2, false), current_user::text as role`,
};

/** Gives a connection its settings, where it does not have them already. */
function createBinding(): (client: PoolClient, settings: Settings) => Promise<void> {
  const bound = new WeakMap<PoolClient, Settings>();
  return async (client, settings) => {
    const present = bound.get(client);
    if (present?.organizationId === settings.organizationId && present.userId === settings.userId) return;
    bound.delete(client);
    const { rows } = await client.query<{ role: string }>({ ...bindSettings, values: [settings.organizationId, settings.userId] });
    const role = rows[0]?.role;
    if (role !== readerRole) throw new Error(`A connection for reads has the role ${role}, not ${readerRole}: does a pooler drop the option that sets it?`);
    bound.set(client, settings);
  };
}

/**
 * The role is set as the connection begins, so that `reset role` leads back to it. Pages are small, but what a policy
 * asks of each row makes them look costly: workers or compiled code would take longer to start than the page does.
 */
const readerOptions = [`role=${readerRole}`, 'default_transaction_read_only=on', 'max_parallel_workers_per_gather=0', 'jit=off'];

function asReader(url: string): string {
  const parsed = new URL(url);
  const own = parsed.searchParams.get('options') ?? '';
  parsed.searchParams.set('options', [own, ...readerOptions.map((option) => `-c ${option}`)].join(' ').trim());
  return parsed.href;
}
