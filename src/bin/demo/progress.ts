const width = 40;

/** One line that fills up; on anything but a terminal only its end is written. */
export function showProgress(label: string, done: number, total: number): void {
  const filled = Math.round((width * done) / total);
  const line = `  ${label.padEnd(10)} ${'█'.repeat(filled)}${'░'.repeat(width - filled)} ${String(done).padStart(5)} / ${total}`;
  if (process.stdout.isTTY) process.stdout.write(`\r${line}${done >= total ? '\n' : ''}`);
  else if (done >= total) process.stdout.write(`${line}\n`);
}
