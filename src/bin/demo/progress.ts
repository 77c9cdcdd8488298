/** Where a bar is drawn: a terminal, or something else that is written to. */
export interface ProgressStream {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** A line that fills up. It ends with its disposal, so that whatever is said next, a failure too, has a line of its own. */
export interface Progress extends Disposable {
  show(done: number, total: number): void;
}

/** On anything but a terminal only the end is written. */
export function openProgress(label: string, stream: ProgressStream = process.stdout): Progress {
  let shown = '';
  let isOpen = false;
  return {
    show: (done, total) => {
      const isFull = done >= total;
      const line = progressLine(label, { done, total, width: (stream.isTTY && stream.columns) || undefined });
      if (total === 0 || line === shown) return;
      shown = line;
      if (stream.isTTY) stream.write(`\r${line}${isFull ? '\n' : ''}`);
      else if (isFull) stream.write(`${line}\n`);
      isOpen = stream.isTTY === true && !isFull;
    },
    [Symbol.dispose]: () => {
      if (isOpen) stream.write('\n');
      isOpen = false;
    },
  };
}

/** For what shows nothing, and is told all the same. */
export const noProgress: Progress = { show: () => undefined, [Symbol.dispose]: () => undefined };

const widest = 40;
const narrowest = 5;

/** A bar no longer than a terminal is wide: what went over its edge could not be drawn over again. */
export function progressLine(label: string, { done, total, width = Infinity }: { done: number; total: number; width?: number | undefined }): string {
  const [before, after] = [`  ${label.padEnd(10)} `, ` ${String(done).padStart(5)} / ${total}`];
  const room = Math.max(narrowest, Math.min(widest, width - 1 - before.length - after.length));
  const filled = Math.round(room * Math.min(1, done / total));
  return `${before}${'█'.repeat(filled)}${'░'.repeat(room - filled)}${after}`;
}
