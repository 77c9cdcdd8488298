import { Pool } from 'undici';

interface Fault {
  code: string;
  message: string;
  path: string[];
}

/** Calls the API as any client does. */
export interface ApiClient {
  /** Posts an operation and answers the payload of its only field. Throws where anything is refused, in its words. */
  call<T>(query: string, input?: Record<string, unknown>): Promise<T>;
  login(token: string): void;
  close(): Promise<void>;
}

/** `url`: where the server listens, without a path. `connections`: calls at a time. */
export function createApiClient(options: { url: string; connections: number }): ApiClient {
  const pool = new Pool(options.url, { connections: options.connections });
  const headers: Record<string, string> = { 'content-type': 'application/json' };
  return {
    login: (token) => {
      headers['authorization'] = `Bearer ${token}`;
    },
    call: async <T>(query: string, input: Record<string, unknown> = {}): Promise<T> => {
      const { body } = await pool.request({ method: 'POST', path: '/graphql', headers, body: JSON.stringify({ query, variables: { input } }) });
      const { data, errors } = (await body.json()) as { data?: Record<string, { errors?: Fault[] }>; errors?: { message: string }[] };
      const [payload] = Object.values(data ?? {});
      const faults = [...(errors ?? []), ...(payload?.errors ?? [])];
      if (!payload || faults.length > 0) throw new Error(faults.map((fault) => fault.message).join(' ') || 'The API gave no answer.');
      return payload as T;
    },
    close: () => pool.close(),
  };
}

/** Whether a Formwire answers there. */
export async function isRunning(url: string): Promise<boolean> {
  const pool = new Pool(url);
  try {
    const { statusCode, body } = await pool.request({ method: 'GET', path: '/livez', headersTimeout: 2_000 });
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  } finally {
    await pool.destroy();
  }
}
