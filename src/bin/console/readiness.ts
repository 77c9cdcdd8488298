import { Pool } from 'undici';

/** Whether the API takes requests, and if not, why. */
export interface ApiState {
  /** Undefined: nobody knows where it would be. */
  url: string | undefined;
  /** Empty where it is ready. */
  reasons: string[];
}

const timeoutMs = 3_000;

/** Asks an API whether it is ready; one that does not answer has that as its reason. */
export async function readReadiness(url: string | undefined): Promise<ApiState> {
  if (url === undefined) return { url, reasons: [] };
  const pool = new Pool(url, { connect: { timeout: timeoutMs } });
  try {
    const { body } = await pool.request({ method: 'GET', path: '/readyz', headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    return { url, reasons: reasonsIn(await body.json()) };
  } catch {
    return { url, reasons: ['does not answer'] };
  } finally {
    await pool.destroy();
  }
}

function reasonsIn(answer: unknown): string[] {
  if (typeof answer !== 'object' || answer === null || !('ready' in answer)) return ['is another program'];
  if (answer.ready === true) return [];
  const { reasons } = answer as { reasons?: unknown };
  return Array.isArray(reasons) && reasons.length > 0 ? reasons.map(String) : ['is not ready'];
}
