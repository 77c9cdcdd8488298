import type { Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { foundAll, LiveTopic, type LiveItem } from '../graphql/live-topic.ts';
import { noReplay } from './change-replay.ts';
import { replayLoader, ReplayType } from './replays.graphql.ts';

interface ReplayState extends LiveItem {
  replayId: Id<'rpl'>;
}

async function topicOf(id: string, context: Context): Promise<LiveTopic<ReplayState>> {
  const { id: replayId, formId, progress } = await context.services.replays.watch(context, id);
  return new LiveTopic<ReplayState>({
    field: 'replayChanged',
    key: `replay ${replayId}`,
    order: 'events',
    formId,
    after: undefined,
    state: progress,
    authorize: async (caller) => void (await caller.services.replays.watch(caller, replayId)),
    read: async (stretch) => foundAll(stretch, stretch.upTo > stretch.after ? [{ replayId, position: stretch.upTo }] : []),
    select: async (items) => items,
  });
}

builder.subscriptionField('replayChanged', (t) =>
  t.field({
    description: 'A replay as it is now, and then whenever that has changed, once a second at most. When its `status` says that it has ended, nothing more comes. A cursor is not needed: whoever comes back is told how it stands.',
    type: ReplayType,
    args: { id: t.arg.id({ required: true }) },
    subscribe: (_root, { id }, context) => topicOf(id, context),
    resolve: async ({ replayId }, _args, context) => {
      const replay = await replayLoader(context).load(replayId);
      if (!replay) throw noReplay();
      return replay;
    },
  }),
);
