import type { Id } from '../../src/events/id.ts';
import type { TestApi } from './api.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
type Answered = any;

export interface Person {
  username: string;
  email: string;
  userId: Id<'usr'>;
  /** Where they registered. */
  organizationId: Id<'org'>;
  token: string;
}

/** People who register, invite each other and work in each other's organisations. */
export interface People {
  /** Somebody with an organisation of their own. */
  owner(): Promise<Person>;
  /** Somebody new who joined the owner's organisation as this. `formIds` of a partner. */
  member(owner: Person, role: string, formIds?: readonly string[]): Promise<Person>;
  register(username: string, input: { email: string; invitation?: string }): Promise<Person>;
  tryRegister(input: Record<string, unknown>): Promise<Answered>;
  login(person: Person): Promise<Person>;
  invite(owner: Person, input: Record<string, unknown>): Promise<{ token: string; invitation: { id: string } }>;
  /** Lets somebody who has an account join the owner's organisation, and work there. */
  join(owner: Person, guest: Person, role: string): Promise<void>;
  /** The id of somebody's membership, as the owner sees it. */
  memberId(owner: Person, who: Person): Promise<string>;
  /** Runs a mutation and answers its payload: `selection` and all errors. Throws where it has none. */
  run(person: Pick<Person, 'token'>, name: string, input: object, selection?: string): Promise<Answered>;
  /** Runs a mutation and answers everything. */
  post(person: Pick<Person, 'token'>, name: string, input: object, selection?: string): Promise<Answered>;
}

const password = 'correct horse';

export function createPeople(api: TestApi): People {
  let count = 0;

  const post: People['post'] = async ({ token }, name, input, selection = '') => {
    const type = `${name.charAt(0).toUpperCase()}${name.slice(1)}Input`;
    const query = `mutation ($input: ${type}!) { ${name}(input: $input) { ${selection} errors { code message path } } }`;
    return (await api.post({ query, variables: { input } }, token === '' ? {} : { token })).body;
  };
  const run: People['run'] = async (person, name, input, selection) => {
    const body = await post(person, name, input, selection);
    if (body.errors) throw new Error(JSON.stringify(body.errors));
    return body.data[name];
  };
  const sound = async (answer: Promise<Answered>): Promise<Answered> => {
    const payload = await answer;
    if (payload.errors.length > 0) throw new Error(JSON.stringify(payload.errors));
    return payload;
  };
  const nobody = { token: '' };
  const account = 'token user { id username email organization { id } }';
  const asPerson = ({ token, user }: Answered): Person => ({
    token, username: user.username, email: user.email, userId: user.id, organizationId: user.organization?.id,
  });

  const tryRegister: People['tryRegister'] = (input) => run(nobody, 'register', { password, ...input }, account);
  const register: People['register'] = async (username, input) => asPerson(await sound(tryRegister({ username, ...input })));
  const invite: People['invite'] = (owner, input) => sound(run(owner, 'inviteMember', input, 'token invitation { id email role acceptedAt }'));
  const newName = (): string => `person${(count += 1)}`;

  return {
    run, post, register, tryRegister, invite,
    owner: () => {
      const username = newName();
      return register(username, { email: `${username}@example.org` });
    },
    member: async (owner, role, formIds) => {
      const username = newName();
      const email = `${username}@example.org`;
      const { token } = await invite(owner, { email, role, ...(formIds && { formIds }) });
      return register(username, { email, invitation: token });
    },
    login: async ({ username }) => asPerson(await sound(run(nobody, 'login', { username, password }, account))),
    join: async (owner, guest, role) => {
      const { token } = await invite(owner, { email: guest.email, role });
      await sound(run(guest, 'acceptInvitation', { token }));
      await sound(run(guest, 'switchOrganization', { organizationId: owner.organizationId }));
    },
    memberId: async (owner, { userId }) => {
      const { organization } = await api.gql('{ organization { members(first: 100) { edges { node { id user { id } } } } } }', {}, owner.token);
      return organization.members.edges.find(({ node }: Answered) => node.user?.id === userId).node.id;
    },
  };
}
