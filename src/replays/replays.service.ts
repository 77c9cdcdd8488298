import { requirePermission, viewerAllowed } from '../accounts/permissions.ts';
import { reachOf } from '../accounts/reach.ts';
import type { Looks } from '../completeness/looks.ts';
import { isId, newId, type Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Caller } from '../graphql/context.ts';
import type { StateOrder } from '../graphql/live-topic.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UserError } from '../user-error.ts';
import { changeReplay, noReplay, startReplay, type ActsBy } from './change-replay.ts';
import type { PlanDeps, ReplayPlan } from './plan-replay.ts';
import { previewReplay } from './preview-replay.ts';
import { readRate, type ReplayRequest } from './read-request.ts';
import { createReplayProgress } from './replay-progress.ts';
import { pageOfReplays, readReplays, type ReplayRow } from './replay-rows.ts';
import { openToken, sealToken, tokenLifeMs } from './token.ts';

export interface ReplaysDeps extends PlanDeps {
  looks: Looks;
  now: () => Date;
}

/** What a client is shown before anything is sent. */
export interface ShownPlan extends ReplayPlan {
  token: string;
  expiresAt: Date;
}

export type ReplaysService = ReturnType<typeof createReplaysService>;

/**
 * Replays of a form's events, for members of the organisation who may work on its deliveries. Partners have none: theirs
 * is to redeliver, and a replay is about integrations of others too.
 */
export function createReplaysService(deps: ReplaysDeps) {
  const { pool, reads, sealer, looks, now } = deps;
  const progressOf = createReplayProgress({ pool });

  const read = async (viewer: Viewer, id: Id<'rpl'>): Promise<ReplayRow> => {
    const found = (await readReplays(reads, { reach: reachOf(viewer), ids: [id] })).get(id);
    if (!found) throw noReplay();
    return found;
  };

  const change = (name: Parameters<typeof changeReplay>[1]['change']) => async (caller: Caller, id: string): Promise<ReplayRow> => {
    const viewer = requirePermission(caller, 'replays:write');
    if (!isId('rpl', id)) throw noReplay();
    await read(viewer, id);
    await changeReplay(pool, { replayId: id, change: name, acts: actsBy(viewer) });
    return read(viewer, id);
  };

  return {
    /** Throws UserError. */
    async preview(caller: Caller, request: ReplayRequest): Promise<ShownPlan> {
      const viewer = requirePermission(caller, 'replays:write');
      const plan = await looks(viewer.organizationId, () => previewReplay(deps, { reach: reachOf(viewer), request, now: now() }));
      const expiresAt = now().getTime() + tokenLifeMs;
      const endpoints = plan.endpoints.map(({ integrationId, count, reachesPeople }) => ({ integrationId, count, reachesPeople }));
      const token = sealToken(sealer, viewer, { replayId: newId('rpl'), task: plan.task, events: plan.events, endpoints, expiresAt });
      return { ...plan, token, expiresAt: new Date(expiresAt) };
    },

    /** Starts what a preview has shown; the same token again answers the same replay. Throws UserError. */
    async start(caller: Caller, { token, rate, sendSms }: { token: string; rate?: number | null | undefined; sendSms?: boolean | null | undefined }): Promise<ReplayRow> {
      const viewer = requirePermission(caller, 'replays:write');
      const previewed = openToken(sealer, viewer, { token, now: now() });
      if (!previewed) throw new UserError('INVALID_INPUT', 'This token is over, or is not one of your previews: preview again.', ['token']);
      const task = { ...previewed.task, rate: readRate(rate, previewed.task.rate) };
      await startReplay(pool, { previewed: { ...previewed, task }, sendSms: sendSms ?? false, acts: actsBy(viewer) });
      return read(viewer, previewed.replayId);
    },

    pause: change('paused'),
    resume: change('resumed'),
    cancel: change('canceled'),

    /** What there is to watch of a replay. Throws UserError where it is not the caller's. */
    async watch(caller: Caller, id: string): Promise<{ id: Id<'rpl'>; formId: Id<'form'>; progress: StateOrder }> {
      const viewer = requirePermission(caller, 'replays:read');
      if (!isId('rpl', id)) throw noReplay();
      const { formId } = await read(viewer, id);
      return { id, formId, progress: progressOf(id) };
    },

    /** The organisation's replays of these ids. */
    async readMany(caller: Caller, ids: readonly Id<'rpl'>[]): Promise<Map<Id<'rpl'>, ReplayRow>> {
      const viewer = viewerAllowed(caller, 'replays:read');
      return viewer ? readReplays(reads, { reach: reachOf(viewer), ids }) : new Map<Id<'rpl'>, ReplayRow>();
    },

    /** A page of those of a form. */
    async list(caller: Caller, { formId, range }: { formId: Id<'form'>; range: KeysetRange }): Promise<ReplayRow[]> {
      return pageOfReplays(reads, { reach: reachOf(requirePermission(caller, 'replays:read')), formId, range });
    },
  };
}

const actsBy = ({ userId, credential }: Viewer): ActsBy => ({ by: credential.kind === 'key' ? 'key' : 'member', userId });
