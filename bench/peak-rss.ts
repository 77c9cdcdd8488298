import { readFileSync, writeFileSync } from 'node:fs';

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
  try {
    const kib = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? undefined : Number(kib) / 1_024;
  } catch {
    return undefined;
  }
}
