#!/usr/bin/env node
// `formwire` of the package: its commands under the Node.js that comes with the project, whatever started this one.

import { fileURLToPath } from 'node:url';

const [launcher, program] = ['launch.mjs', 'formwire.ts'].map((name) => fileURLToPath(new URL(name, import.meta.url)));
process.argv.splice(1, 1, launcher, program);
await import('./launch.mjs');
