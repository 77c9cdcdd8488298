import pg from 'pg';

/** What pg knows of a connection beyond its types: where the server is, and which of its processes serves us. */
interface Backend {
  host: string;
  port: number;
  ssl: boolean | object;
  sslNegotiation: string;
  processID: number;
  secretKey: number;
}

interface CancelConnection {
  connect(hostOrPort: string | number, host?: string): void;
  requestSsl(): void;
  cancel(processId: number, secretKey: number): void;
  end(): void;
  on(event: 'connect' | 'sslconnect' | 'end', listener: () => void): void;
  on(event: 'error', listener: (error: Error) => void): void;
}

const waitMs = 2_000;

/**
 * Asks the server to cancel the statement that a connection waits for, over another connection that takes no place of
 * `max_connections` and ends at once. Resolves when the server has passed it on: a statement that begins on the same
 * connection afterwards is not touched. Resolves, too, where the server cannot be reached within two seconds.
 * Source: PostgreSQL, "Canceling Requests in Progress".
 */
export function requestCancel(client: object): Promise<void> {
  const { host, port, ssl, sslNegotiation, processID, secretKey } = client as Backend;
  const connection = new pg.Connection({ ssl, sslNegotiation } as pg.ConnectionConfig) as unknown as CancelConnection;
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      connection.end();
      resolve();
    }, waitMs);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const send = (): void => connection.cancel(processID, secretKey);
    connection.on('connect', () => {
      if (!ssl) send();
      else if (sslNegotiation !== 'direct') connection.requestSsl();
    });
    connection.on('sslconnect', send);
    connection.on('end', finish);
    connection.on('error', finish);
    if (host.startsWith('/')) connection.connect(`${host}/.s.PGSQL.${port}`);
    else connection.connect(port, host);
  });
}
