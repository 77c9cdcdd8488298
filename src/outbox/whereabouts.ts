/** How far the stream and a partition's consumer have got, by the server's word. */
export interface StreamPosition {
  firstSequence: number;
  lastSequence: number;
  /** Every message of the partition up to here is acknowledged by the dispatcher. */
  ackFloor: number;
}

/**
 * Whether the message of an outbox row can still reach a dispatcher, or must be published again.
 *
 * - never known to be in the stream → lost
 * - behind the stream's end (the stream was rolled back or made anew) or before its beginning (aged out) → lost
 * - at or below the ack floor, and yet its row is here: the dispatcher acks only what it recorded, so what is at that
 *   place is another message, or the consumer skipped it → lost
 * - else it waits in a backlog → on its way
 */
export function whereabouts(publishedSequence: number | null, stream: StreamPosition): 'on its way' | 'lost' {
  if (publishedSequence === null) return 'lost';
  if (publishedSequence > stream.lastSequence || publishedSequence < stream.firstSequence) return 'lost';
  if (publishedSequence <= stream.ackFloor) return 'lost';
  return 'on its way';
}
