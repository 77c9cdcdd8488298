import { GraphQLError } from 'graphql';
import { decodeCursor, positionOfKey } from '../graphql/cursor.ts';
import type { LiveOrder, LiveTopic } from '../graphql/live-topic.ts';
import type { Settled } from '../outbox/settled.ts';
import { UserError } from '../user-error.ts';

export interface StartDeps {
  /** Of the topic's order. */
  settled: Settled;
  /** How far back a subscription may go on from. */
  retentionMs: number;
  now: () => Date;
}

const cursorsOf: Record<LiveOrder, string> = { events: 'responses', deliveryChanges: 'changes of deliveries' };

/**
 * The position after which a subscription begins: that of the cursor, or the present one. Throws UserError where the
 * cursor is none, CURSOR_EXPIRED where something has happened after it that is older than subscriptions reach back.
 * A cursor does not grow old by itself: after one that nothing has followed, everything is still to come.
 */
export async function startOf(deps: StartDeps, { topic, after }: { topic: LiveTopic; after: string | undefined }): Promise<number> {
  const { settled, retentionMs, now } = deps;
  if (topic.state) return (await topic.state.find()) - 1; // the present state is what follows
  const upTo = await settled.find();
  if (after === undefined) return upTo;
  const position = positionOfKey(decodeCursor(after) ?? '', topic.order);
  if (position === undefined) throw new UserError('INVALID_INPUT', `"after" is no cursor of ${cursorsOf[topic.order]}; use one that this API has answered.`, ['after']);
  // another process may have found it settled before this one
  if (position > upTo && position > settled.drawn()) throw new UserError('INVALID_INPUT', '"after" lies beyond all that has happened here: is it the cursor of another installation?', ['after']);
  const [first] = (await topic.read({ after: position, upTo, limit: 1 })).items;
  if (first?.occurredAt && first.occurredAt.getTime() < now().getTime() - retentionMs) throw expired(after, retentionMs);
  return position;
}

function expired(after: string, retentionMs: number): GraphQLError {
  const days = Math.round((retentionMs / 86_400_000) * 10) / 10;
  return new GraphQLError(
    `More than ${days} days have passed since what follows this cursor: read on with form.responses(after:), whose cursors do not expire, and subscribe from its last cursor.`,
    { extensions: { code: 'CURSOR_EXPIRED', readOn: { field: 'Form.responses', after } } },
  );
}
