import { readFileSync, writeFileSync } from 'node:fs';

/** The kernel counts a process's time in hundredths of a second. */
const ticksPerSecond = 100;

/** Lets the peak of a process's memory begin anew. Only Linux knows how; elsewhere `peakRssMib` has nothing to say. */
export function resetPeakRss(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // The peak counts from the process's start then.
  }
}

/** The most memory a process has held since its start, or since `resetPeakRss`. */
export function peakRssMib(pid: number): number | undefined {
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readProc(pid, 'status'))?.[1];
  return kib === undefined ? undefined : Number(kib) / 1_024;
}

/** The processor time a process has used so far, of all its threads. */
export function cpuSeconds(pid: number): number {
  const fields = readProc(pid, 'stat').split(') ').at(-1)?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / ticksPerSecond; // utime and stime, the 14th and 15th of all
}

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
