/** A result, executed and serialised once for all who are told it. */
export interface Frame {
  position: number;
  /** Goes on after it. */
  cursor: string;
  /** The result of the operation, as JSON. */
  json: string;
}

/** Frames that go out together, and what they are on each kind of wire: encoded once, however many send it. */
export class Batch {
  readonly frames: readonly Frame[];
  readonly #encoded = new Map<(frames: readonly Frame[]) => Buffer, Buffer>();

  constructor(frames: readonly Frame[]) {
    this.frames = frames;
  }

  /** `encode` is known by its identity: give the same function every time. */
  as(encode: (frames: readonly Frame[]) => Buffer): Buffer {
    const known = this.#encoded.get(encode) ?? encode(this.frames);
    this.#encoded.set(encode, known);
    return known;
  }

  /** What is left of it for somebody who has been told up to a position already: itself, for nearly everybody. */
  after(position: number): Batch {
    const [first] = this.frames;
    if (first === undefined || first.position > position) return this;
    return new Batch(this.frames.filter((frame) => frame.position > position));
  }
}
