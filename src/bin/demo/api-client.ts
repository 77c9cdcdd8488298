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
      const { data, errors } = await post(pool, { url: options.url, headers, body: JSON.stringify({ query, variables: { input } }) });
      const [payload] = Object.values(data ?? {});
      const faults = [...(errors ?? []), ...(payload?.errors ?? [])];
      if (!payload || faults.length > 0) throw new Error(faults.map((fault) => fault.message).join(' ') || 'The API gave no answer.');
      return payload as T;
    },
    close: () => pool.close(),
  };
}

interface Answer {
  data?: Record<string, { errors?: Fault[] }>;
  errors?: { message: string }[];
}

async function post(pool: Pool, call: { url: string; headers: Record<string, string>; body: string }): Promise<Answer> {
  const { url, headers, body } = call;
  try {
    const answer = await pool.request({ method: 'POST', path: '/graphql', headers, body });
    return (await answer.body.json()) as Answer;
  } catch (cause) {
    const reason = cause instanceof Error && 'code' in cause ? ` (${String(cause.code)})` : '';
    throw new Error(`The Formwire at ${url} does not answer any more${reason}.`, { cause });
  }
}

/** Who answers there. What cannot be asked counts as nobody: a start there says what is in its way. */
export async function whoAnswers(url: string): Promise<'formwire' | 'another program' | 'nobody'> {
  const pool = new Pool(url);
  try {
    const { body } = await pool.request({ method: 'GET', path: '/livez', headersTimeout: 2_000, bodyTimeout: 2_000 });
    return isAlive(await body.text()) ? 'formwire' : 'another program';
  } catch {
    return 'nobody';
  } finally {
    await pool.destroy();
  }
}

function isAlive(text: string): boolean {
  try {
    return (JSON.parse(text) as { status?: unknown } | null)?.status === 'ok';
  } catch {
    return false;
  }
}
