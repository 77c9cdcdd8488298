import type { Step, StepEnd } from './step.ts';

/** Takes away what connecting made, of an integration that was deleted, or whose form was. */
export async function disconnect({ takeTurn }: { takeTurn: () => Promise<void> }, { provider, context }: Step): Promise<StepEnd> {
  if (!provider.disconnect) return { status: 'done' };
  await takeTurn();
  return provider.disconnect(context);
}
