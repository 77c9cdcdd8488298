import { createSealer } from '../../src/sealing.ts';

/** What tests seal secrets with: the same key in every process of a test. */
export const testSealer = createSealer([Buffer.alloc(32, 'test key ')]);
