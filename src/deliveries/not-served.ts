/**
 * How the reason of a delivery begins that waits because no dispatcher can serve its integration: its owner has to mend
 * it, or whoever runs the dispatchers, as where the key of its secrets is missing. That only a dispatcher knows: what is
 * stored of the integration may say that it is active.
 */
export const notServed = 'The integration is disabled.';
