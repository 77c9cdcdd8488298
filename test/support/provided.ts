import 'vitest';

/** What the run as a whole sets up and every test file may `inject`. */
declare module 'vitest' {
  export interface ProvidedContext {
    /** PostgreSQL of this run, as a superuser who may create databases. */
    postgresAdminUrl: string;
    /** A migrated, empty database that nobody connects to: test databases are clones of it. */
    templateDatabase: string;
    natsServerBinary: string;
  }
}
