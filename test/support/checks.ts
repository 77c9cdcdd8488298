import type { Pool } from 'pg';
import { providerNamed } from '../../integrations/index.ts';
import { createResponseChecks, type ResponseChecks } from '../../src/integrations/response-checks.ts';
import { silentLog } from '../../src/log.ts';
import { testSealer } from './sealer.ts';

/** What the installed providers check of responses. */
export const openChecks = (pool: Pool): ResponseChecks => createResponseChecks({ pool, providerNamed, sealer: testSealer, log: silentLog });
