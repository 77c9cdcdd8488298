import type { Installation } from './installation.ts';
import type { RestartablePostgres } from './outages.ts';

/** What can be struck. */
export interface Victims extends Installation {
  postgres: RestartablePostgres;
}

/** Something that is killed under load, and started again. */
export interface Blow {
  what: string;
  /** Answers how it is mended. */
  strike: (victims: Victims) => Promise<() => Promise<void>>;
  /** A receiver hears nothing twice of it: no process that sends has died. */
  isQuiet?: boolean;
  /** Nothing can be accepted until it is mended. */
  stopsSubmissions?: boolean;
}

const killFormwire = (kind: 'apis' | 'dispatchers', index: number) => async (victims: Victims) => {
  const victim = victims[kind][index];
  await victim?.kill();
  return async () => {
    victim?.start();
    await victim?.ready();
  };
};

const endNats = (how: 'kill' | 'leave', choose: (victims: Victims) => Promise<Victims['nats']['servers']>) => async (victims: Victims) => {
  const chosen = await choose(victims);
  await Promise.all(chosen.map((server) => server[how]()));
  return async () => {
    for (const server of chosen) server.start();
    await victims.nats.healthy();
  };
};

const leader = async ({ nats }: Victims) => [await nats.streamLeader()];
const others = async ({ nats }: Victims) => {
  const leading = await nats.streamLeader();
  return nats.servers.filter((server) => server !== leading);
};

export const blows = {
  follower: { what: 'a NATS server that follows', strike: endNats('kill', async (victims) => (await others(victims)).slice(0, 1)), isQuiet: true },
  leader: { what: 'the NATS server that leads the stream', strike: endNats('kill', leader), isQuiet: true },
  metaLeader: { what: 'the NATS server that leads the cluster', strike: endNats('kill', async ({ nats }) => [await nats.metaLeader()]), isQuiet: true },
  quorum: { what: 'two NATS servers of three', strike: endNats('kill', others), isQuiet: true },
  lameDuck: { what: 'the leading NATS server, which is told to leave', strike: endNats('leave', leader), isQuiet: true },
  api: { what: 'an API', strike: killFormwire('apis', 0) },
  dispatcher: { what: 'a dispatcher', strike: killFormwire('dispatchers', 0) },
  leaderAndDispatcher: {
    what: 'the leader and a dispatcher at once',
    strike: async (victims) => {
      const mends = await Promise.all([endNats('kill', leader)(victims), killFormwire('dispatchers', 1)(victims)]);
      return async () => void (await Promise.all(mends.map((mend) => mend())));
    },
  },
  postgres: {
    what: 'PostgreSQL',
    strike: async ({ postgres }) => {
      await postgres.kill();
      return () => postgres.start();
    },
    stopsSubmissions: true,
  },
} satisfies Record<string, Blow>;
