import type { ParsedArgs } from 'citty';
import { deliveryStatuses, type DeliveryStatus } from '../../deliveries/delivery.entity.ts';
import type { DeliveryFilter } from '../../deliveries/delivery-rows.ts';
import type { Id } from '../../events/id.ts';
import { readArgument } from './read-argument.ts';

/** Options that choose deliveries; all that are given must hold. */
export const deliveryArguments = {
  form: { type: 'string', valueHint: 'form_…', description: 'Of this form.' },
  integration: { type: 'string', valueHint: 'intg_…', description: 'To this integration.' },
  class: { type: 'string', valueHint: 'class', description: 'Whose last attempt failed so: TIMEOUT, CONNECTION, HTTP_STATUS, …' },
  since: { type: 'string', valueHint: 'time', description: 'Recorded then or later: a time, or how long ago (24h, 7d).' },
  until: { type: 'string', valueHint: 'time', description: 'Recorded before then.' },
} as const;

export function readDeliveryArguments(args: ParsedArgs<typeof deliveryArguments>, status?: DeliveryStatus): { formId: Id<'form'> | undefined; filter: DeliveryFilter } {
  return {
    formId: readArgument.id('form', 'form', args.form),
    filter: {
      integrationId: readArgument.id('integration', 'intg', args.integration),
      errorClass: args.class,
      since: readArgument.time('since', args.since),
      until: readArgument.time('until', args.until),
      status,
    },
  };
}

export const readStatus = (text: string | undefined): DeliveryStatus | undefined => readArgument.oneOf('status', text, deliveryStatuses);
