import type { FormShape, Provider, SettingsFault } from '../../integrations/provider.ts';

/** In a sentence, what of an integration's settings does not fit its form; undefined where all does. */
export function whyUnfit(provider: Pick<Provider, 'unfit'>, { settings, form }: { settings: unknown; form: FormShape | undefined }): string | undefined {
  return form && sentenceOf(provider.unfit?.(settings, form) ?? []);
}

function sentenceOf([first, ...others]: readonly SettingsFault[]): string | undefined {
  if (!first) return undefined;
  const what = `The settings do not fit the form any more: ${first.message}`;
  return others.length === 0 ? what : `${what} There ${others.length === 1 ? 'is one more such fault' : `are ${others.length} more such faults`}.`;
}
