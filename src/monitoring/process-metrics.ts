import { statfs } from 'node:fs/promises';
import { collectDefaultMetrics, type Registry } from 'prom-client';
import manifest from '../../package.json' with { type: 'json' };
import { registerGauge } from './gauge.ts';

/** Memory, CPU, event loop and garbage of this process, what it is, and the disk that its data directory is on. */
export function registerProcessMetrics(registry: Registry, { roles, dataDir }: { roles: readonly string[]; dataDir: string }): void {
  collectDefaultMetrics({ register: registry });
  registerGauge(registry, { name: 'formwire_role', help: '1 for each role of this process.', labelNames: ['role', 'version'] }, (gauge) => {
    for (const role of roles) gauge.set({ role, version: manifest.version }, 1);
  });
  registerGauge(registry, { name: 'formwire_disk_size_bytes', help: 'Size of the disk that FORMWIRE_DATA is on; 0 where it cannot be read.' }, async (gauge) => gauge.set((await readDisk(dataDir)).size));
  registerGauge(registry, { name: 'formwire_disk_free_bytes', help: 'What is free of it.' }, async (gauge) => gauge.set((await readDisk(dataDir)).free));
}

/** A process without embedded servers and with keys of its own may have no such directory. */
async function readDisk(dataDir: string): Promise<{ size: number; free: number }> {
  const disk = await statfs(dataDir).catch(() => ({ bsize: 0, blocks: 0, bavail: 0 }));
  return { size: disk.blocks * disk.bsize, free: disk.bavail * disk.bsize };
}
