import { describe, expect, test } from 'vitest';
import { roles } from '../../src/config.ts';
import { readinessOf } from '../../src/monitoring/readiness.ts';

describe('a process', () => {
  test('is ready when PostgreSQL and NATS can be reached', () => {
    expect(readinessOf({ roles, hasDatabase: true, hasNats: true })).toMatchObject({ ready: true, reasons: [] });
  });

  test('is not when one of its roles is not, and says which, and why', () => {
    const { ready, reasons, roles: ofRoles } = readinessOf({ roles, hasDatabase: true, hasNats: false });
    expect(ready).toBe(false);
    expect(reasons).toEqual([expect.stringContaining('NATS cannot be reached')]);
    expect(ofRoles).toMatchObject({ api: { ready: true }, relay: { ready: false, reasons }, dispatcher: { ready: false, reasons } });
  });

  test('takes responses without NATS where it is the API only', () => {
    expect(readinessOf({ roles: ['api'], hasDatabase: true, hasNats: false })).toMatchObject({ ready: true, reasons: [expect.stringContaining('delivered when it is back')] });
  });

  test('does nothing without PostgreSQL, and says so once', () => {
    for (const role of roles) expect(readinessOf({ roles: [role], hasDatabase: false, hasNats: true }).ready, role).toBe(false);
    expect(readinessOf({ roles, hasDatabase: false, hasNats: true }).reasons).toEqual(['PostgreSQL cannot be reached.']);
  });

  test('who was told to stop is ready for nothing more', () => {
    for (const role of roles) expect(readinessOf({ roles: [role], hasDatabase: true, hasNats: true, isStopping: true }), role).toMatchObject({ ready: false, reasons: ['This process stops.'] });
  });
});
