import { setMaxListeners } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import { answerBench } from '../workers.ts';

/** The same subscription as Formwire's, over Yoga's own pub/sub, and nothing else: no permissions, no database. */
setMaxListeners(0); // it warns of more than ten subscribers
const pubSub = createPubSub<Record<string, [payload: unknown]>>();
const typeDefs = /* GraphQL */ `
  type Query { none: Boolean }
  type Subscription { responseCreated(formId: ID!): ResponseEvent! }
  type ResponseEvent { cursor: String! event: Event! response: Response! }
  type Event { id: ID! type: String! }
  type Response { id: ID! submittedAt: String! answers: [Answer!]! }
  type Answer { text: String! question: Question! }
  type Question { key: String! }
`;
const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: { Subscription: { responseCreated: { subscribe: (_root: unknown, { formId }: { formId: string }) => pubSub.subscribe(formId), resolve: (event: unknown) => event } } },
  }),
  logging: false,
});

function listen(): Promise<string> {
  const server = createServer((request, response) => void yoga(request, response));
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)));
}

/** One in each turn of the event loop: more at once overflow its queues, and end the process. */
async function publish({ formId, events }: { formId: string; events: readonly unknown[] }): Promise<void> {
  for (const event of events) {
    pubSub.publish(formId, event);
    await new Promise(setImmediate);
  }
}

answerBench({ listen, publish });
