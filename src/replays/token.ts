import { z } from 'zod';
import { eventTypes } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Sealer } from '../sealing.ts';
import { replayModes, type ReplayTask } from './replay-task.ts';

/** What a preview has shown, and so what its token starts. */
export interface Previewed {
  /** Of the replay that it starts: the same token starts no second one. */
  replayId: Id<'rpl'>;
  task: ReplayTask;
  events: number;
  endpoints: { integrationId: Id<'intg'>; count: number; reachesPeople: boolean }[];
  /** In milliseconds since 1970. */
  expiresAt: number;
}

/** How long what a preview has shown can be started. */
export const tokenLifeMs = 15 * 60_000;

type Bearer = Pick<Viewer, 'organizationId' | 'userId'>;

const contextOf = ({ organizationId, userId }: Bearer): string => `replay of ${organizationId} by ${userId}`;

/** Sealed, and not only signed, so that nobody comes to rely on what is in it. Only for whoever has seen the preview. */
export const sealToken = (sealer: Sealer, bearer: Bearer, previewed: Previewed): string =>
  Buffer.from(sealer.seal(JSON.stringify(previewed), contextOf(bearer))).toString('base64url');

const idOf = <T extends string>() => z.string().transform((text) => text as T);
const previewedSchema = z.object({
  replayId: idOf<Id<'rpl'>>(),
  task: z.object({
    formId: idOf<Id<'form'>>(), eventTypes: z.array(z.enum(eventTypes)), since: z.string(), until: z.string(),
    after: z.number(), through: z.number(), mode: z.enum(replayModes), rate: z.number(),
  }),
  events: z.number(),
  endpoints: z.array(z.object({ integrationId: idOf<Id<'intg'>>(), count: z.number(), reachesPeople: z.boolean() })),
  expiresAt: z.number(),
});

/** Undefined where it is another's, is over, was changed, or is no token at all. */
export function openToken(sealer: Sealer, bearer: Bearer, { token, now }: { token: string; now: Date }): Previewed | undefined {
  try {
    const previewed: Previewed = previewedSchema.parse(JSON.parse(sealer.open(Buffer.from(token, 'base64url').toString(), contextOf(bearer))));
    return previewed.expiresAt > now.getTime() ? previewed : undefined;
  } catch {
    return undefined;
  }
}
