import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { revokeOperatorKey } from '../../accounts/operator-keys.ts';
import type { Id } from '../../events/id.ts';
import { createApiClient } from '../demo/api-client.ts';
import { WrongUse } from '../exit-codes.ts';
import { findInstallation, withDatabase, type Installation } from './installation.ts';
import { operatorCommand } from './operator-command.ts';
import { paint, printLines } from './print.ts';
import { forwardWebhook } from './forward-webhook.ts';
import { readArgument } from './read-argument.ts';
import { makeToken } from './token.ts';
import { webhookLines } from './webhook-lines.ts';
import { startWebhookReceiver, type WebhookReceiverOptions } from './webhook-receiver.ts';

export const listenCommand = operatorCommand({
  args: {
    form: { type: 'string', valueHint: 'form_…', description: 'Connect this form to here, and disconnect it at the end.' },
    port: { type: 'string', default: '0', valueHint: 'port', description: 'Where to listen, on 127.0.0.1; 0 takes a free one.' },
    secret: { type: 'string', valueHint: 'whsec_…', description: 'What signatures are checked with, where the form is connected already.' },
    'forward-to': { type: 'string', valueHint: 'url', description: 'Hand each webhook on to here as it came, and answer what is answered: localhost:3000/hooks.' },
    status: { type: 'string', valueHint: 'status', description: 'What to answer, such as 503 to see retries. Default: 204.' },
    body: { type: 'boolean', description: 'Print the body too.' },
    json: { type: 'boolean', description: 'One line of JSON for each webhook.' },
    count: { type: 'string', valueHint: 'count', description: 'End after so many.' },
  },
  run: async ({ args, config }) => {
    const port = readArgument.count('port', args.port, { least: 0, most: 65_535 });
    const answer = readAnswer(args);
    const count = args.count === undefined ? Infinity : readArgument.count('count', args.count, { most: 1_000_000 });
    const formId = readArgument.id('form', 'form', args.form);
    if (formId && args.secret) throw new WrongUse('Say --form or --secret: a form that is connected by this gets a secret of its own.');
    if (args.secret && !args.secret.startsWith('whsec_')) throw new WrongUse('--secret is what the creation of the webhook answered, and begins with whsec_.');

    await using stack = new AsyncDisposableStack();
    const receiver = await startWebhookReceiver({ port, count, answer, show: (request) => printLines(webhookLines(request, { json: args.json === true, body: args.body === true, paint })) });
    stack.defer(() => receiver.close());
    receiver.trust(args.secret ?? '');
    const greeting: string[] = [];
    if (formId) {
      const connected = await connectForm(findInstallation(config), { formId, url: receiver.url });
      stack.defer(() => connected.disconnect());
      receiver.trust(connected.secret);
      if (args['forward-to']) greeting.push(`Its secret, for the receiver to check signatures with: ${connected.secret}`);
    }
    greeting.push(`Listening at ${receiver.url}${formId ? `, connected to ${formId}` : ''}${formId || args.secret ? '' : '; without --secret no signature is checked'}. Ctrl-C ends it.`);
    process.stderr.write(`${greeting.join('\n')}\n`);
    await Promise.race([receiver.ended, stopped()]);
    return 'fine';
  },
});

function readAnswer({ status: wanted, 'forward-to': forwardTo }: { status?: string | undefined; 'forward-to'?: string | undefined }): WebhookReceiverOptions['answer'] {
  if (forwardTo !== undefined && wanted !== undefined) throw new WrongUse('Say --status or --forward-to: what it is handed on to answers.');
  if (forwardTo !== undefined) {
    const url = readArgument.url('forward-to', forwardTo);
    return (webhook) => forwardWebhook(url, webhook);
  }
  const status = readArgument.count('status', wanted ?? '204', { most: 599 });
  if (status < 200) throw new WrongUse('--status is from 200 to 599.');
  return () => ({ status });
}

/** Connects a form by the API, with a key made for that, which is ended with it. */
async function connectForm(installation: Installation, { formId, url }: { formId: Id<'form'>; url: string }): Promise<{ secret: string; disconnect(): Promise<void> }> {
  const { apiUrl } = installation;
  if (apiUrl === undefined) throw new Error('Where the API listens is not known here: set HOST and PORT as it has them.');
  const { key, id: keyId } = await withDatabase(installation, async (pool) => makeToken(pool, { organizationId: await organizationOf(pool, formId), scopes: ['integrations:write'], validMs: 86_400_000, purpose: 'listen' }));
  const api = createApiClient({ url: apiUrl, connections: 1 });
  api.login(key);
  const end = async (): Promise<void> => {
    await api.close();
    await withDatabase(installation, (pool) => revokeOperatorKey(pool, keyId));
  };
  try {
    const { integration, secret } = await api.call<{ integration: { id: string }; secret: string }>(
      'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } secret errors { message } } }',
      { formId, name: 'formwire listen', settings: { webhook: { url } } },
    );
    const disconnect = async (): Promise<void> => {
      await api.call('mutation ($input: DeleteIntegrationInput!) { deleteIntegration(input: $input) { integration { id } errors { message } } }', { id: integration.id });
      await end();
    };
    return { secret, disconnect };
  } catch (error) {
    await end();
    throw error;
  }
}

async function organizationOf(pool: Pool, formId: Id<'form'>): Promise<Id<'org'>> {
  const { rows } = await pool.query<{ id: Id<'org'> }>('select organization_id as id from forms where id = $1 and deleted_at is null', [formId]);
  if (rows[0]) return rows[0].id;
  throw new Error(`There is no ${formId}.`);
}

/** Resolves at the first signal to stop, or when nobody reads any more: `formwire listen | head -1`. */
async function stopped(): Promise<void> {
  const stopping = new AbortController();
  process.stdout.once('error', () => stopping.abort());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stopping.abort());
  while (!stopping.signal.aborted) await sleep(86_400_000, undefined, { signal: stopping.signal }).catch(() => undefined);
}
