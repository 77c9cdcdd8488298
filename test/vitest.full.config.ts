import { defineConfig, mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

/** The long forms of tests that `npm test` runs in short ones: many points to die at, many seeds. */
export default defineConfig({
  ...mergeConfig(config, {}),
  test: { ...config.test, include: ['test/**/*.full.ts'], testTimeout: 300_000 },
});
