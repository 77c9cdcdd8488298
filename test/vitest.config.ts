import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  root: fileURLToPath(new URL('..', import.meta.url)),
  // Vite picks graphql's CommonJS entry and Node its `module-sync` one: two copies, whose types do not know each other.
  ssr: { resolve: { conditions: ['module-sync', 'node', 'development|production'] } },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/end-with-runner.ts'],
    // Processes, not threads: a parent-death signal belongs to the thread that spawned, and tests kill what they spawn.
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // Vitest's own second is over before a busy machine has answered; what comes at once is not waited for any longer.
    expect: { poll: { timeout: 20_000 } },
  },
});
