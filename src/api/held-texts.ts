import type { ReadyOperation } from './prepare.ts';
import type { RequestParams } from './request-params.ts';

/** What a subscription keeps for as long as it lasts of what it was asked for with. */
export interface HeldText {
  document: ReadyOperation['document'];
  queryChars: number;
  variablesChars: number;
}

/** The characters that subscriptions keep, by holder: a query once, however many ask for it, and the variables of each. */
export interface HeldTexts {
  /** What a holder would keep with this one too. */
  charsWith(holder: string, text: HeldText): number;
  /** Answers how to give it back; to be called once. */
  take(holder: string, text: HeldText): () => void;
}

interface Held {
  chars: number;
  /** How many have each. A query that the cache had forgotten was parsed once more: both take memory, so both count. */
  documents: Map<HeldText['document'], number>;
}

export function createHeldTexts(): HeldTexts {
  const holders = new Map<string, Held>();
  const charsOf = ({ documents }: Held, { document, queryChars, variablesChars }: HeldText): number => variablesChars + (documents.has(document) ? 0 : queryChars);

  return {
    charsWith: (holder, text) => {
      const held = holders.get(holder) ?? nothing();
      return held.chars + charsOf(held, text);
    },
    take: (holder, text) => {
      const held = holders.get(holder) ?? nothing();
      holders.set(holder, held);
      held.chars += charsOf(held, text);
      held.documents.set(text.document, (held.documents.get(text.document) ?? 0) + 1);
      return () => {
        const left = (held.documents.get(text.document) ?? 0) - 1;
        if (left > 0) held.documents.set(text.document, left);
        else held.documents.delete(text.document);
        held.chars -= charsOf(held, text);
        if (held.documents.size === 0) holders.delete(holder);
      };
    },
  };
}

const nothing = (): Held => ({ chars: 0, documents: new Map() });

export const textOf = ({ document, params }: Pick<ReadyOperation, 'document' | 'params'>): HeldText => ({
  document,
  queryChars: params.query.length,
  variablesChars: variablesLength(params),
});

/** As JSON. */
export const variablesLength = ({ variables }: Pick<RequestParams, 'variables'>): number => (variables ? JSON.stringify(variables).length : 0);
