import { defineCommand } from 'citty';
import { later } from './later.ts';
import { runProgram } from './run-program.ts';

const formwire = defineCommand({
  meta: {
    name: 'formwire',
    description: 'Forms and responses over GraphQL; every response delivered. Exit codes: 0 fine, 1 failed, 2 wrong use, 3 found something late, dead, missing or wrong.',
  },
  subCommands: {
    start: later({ name: 'start', description: 'Run the API, the relay and the dispatcher, with embedded servers unless others are configured.', load: async () => (await import('./start.ts')).startCommand }),
    status: later({ name: 'status', description: 'How the installation stands: what waits, who works, and what is late or dead.', load: async () => (await import('./console/status.ts')).statusCommand }),
    deliveries: later({ name: 'deliveries', description: 'List deliveries, the newest first; or tell of those that are named, with every attempt: formwire deliveries dlv_…', load: async () => (await import('./console/deliveries.ts')).deliveriesCommand }),
    dead: later({ name: 'dead', description: 'What was given up on, by integration and by what it failed with.', load: async () => (await import('./console/dead.ts')).deadCommand }),
    redeliver: later({ name: 'redeliver', description: 'Send deliveries again, at once and with a new schedule of retries: those that are named (dlv_…), or all that the options choose.', load: async () => (await import('./console/redeliver.ts')).redeliverCommand }),
    replay: later({ name: 'replay', description: 'Send a stretch of a form’s events again: formwire replay preview | start | list, or watch | pause | resume | cancel rpl_….', load: async () => (await import('./console/replay.ts')).replayCommand }),
    reconcile: later({ name: 'reconcile', description: 'Prove that everything that was accepted came to where it was due, or waits, or is dead; and mend it where it did not.', load: async () => (await import('./console/reconcile.ts')).reconcileCommand }),
    doctor: later({ name: 'doctor', description: 'Look for what is wrong with the installation, and tell how to mend it.', load: async () => (await import('./console/doctor.ts')).doctorCommand }),
    listen: later({ name: 'listen', description: 'Receive webhooks on this machine, check their signatures and print them, until Ctrl-C.', load: async () => (await import('./console/listen.ts')).listenCommand }),
    token: later({ name: 'token', description: 'Make an API key for yourself, for who has access to the database: AUTH="Bearer $(formwire token)". The organisation sees it in its list.', load: async () => (await import('./console/token.ts')).tokenCommand }),
    backup: later({ name: 'backup', description: 'Copy all that the database has, as it is at one moment, into a new folder: formwire backup DIR. Everything goes on meanwhile.', load: async () => (await import('./console/backup.ts')).backupCommand }),
    restore: later({ name: 'restore', description: 'Put a backup into an empty database, and bring it to this version: formwire restore DIR. Stop every process before.', load: async () => (await import('./console/restore.ts')).restoreCommand }),
    reseal: later({ name: 'reseal', description: 'Seal all secrets by the present FORMWIRE_SECRETS_KEY, and tell whether older keys may go.', load: async () => (await import('./console/reseal.ts')).resealCommand }),
    migrate: later({ name: 'migrate', description: 'Bring the database of DATABASE_URL to the newest schema.', load: async () => (await import('./migrate.ts')).migrateCommand }),
    schema: later({ name: 'schema', description: 'Write schema.graphql from the code.', load: async () => (await import('./schema.ts')).schemaCommand }),
  },
});

await runProgram('formwire', formwire);
