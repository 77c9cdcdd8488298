import type { ApiClient } from './api-client.ts';
import { householdForm, householdRules } from './household.ts';

/** Registers somebody who makes the survey; answers the form's id and how many questions it has. */
export async function createSurvey(api: ApiClient): Promise<{ formId: string; title: string; questionCount: number }> {
  const username = `demo-${Date.now().toString(36)}`;
  const account = await api.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', {
    username,
    email: `${username}@example.org`,
    password: crypto.randomUUID(),
    organization: 'Demo',
  });
  api.login(account.token);
  const { form } = await api.call<{ form: { id: string; title: string; questions: unknown[] } }>(
    'mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id title questions { id } } errors { message } } }',
    householdForm(),
  );
  return { formId: form.id, title: form.title, questionCount: form.questions.length };
}

export interface Connected {
  id: string;
  /** Of webhooks: what they are signed with. */
  secret: string | null;
}

/** Connects something to a form: `settings` as `IntegrationSettingsInput` has them. */
export async function connect(api: ApiClient, input: { formId: string; name: string; settings: Record<string, unknown> }): Promise<Connected> {
  const { integration, secret } = await api.call<{ integration: { id: string }; secret: string | null }>(
    'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } secret errors { message } } }',
    input,
  );
  return { id: integration.id, secret };
}

/** The rules that a household's numbers must keep. */
export const connectRules = (api: ApiClient, formId: string): Promise<Connected> => connect(api, { formId, name: 'Household rules', settings: householdRules() });

export async function connectWebhook(api: ApiClient, { formId, url }: { formId: string; url: string }): Promise<Connected> {
  try {
    return await connect(api, { formId, name: 'Demo receiver', settings: { webhook: { url } } });
  } catch (error) {
    if (!(error instanceof Error && error.message.includes('loopback'))) throw error;
    throw new Error('The demo receives webhooks on this machine, which this Formwire forbids: start Formwire with FORMWIRE_ALLOW_LOOPBACK=true', { cause: error });
  }
}

/** So that nothing goes on trying what is gone after the demo. A server that is gone too cannot be asked. */
export async function disconnect(api: ApiClient, id: string): Promise<void> {
  await api
    .call('mutation ($input: DeleteIntegrationInput!) { deleteIntegration(input: $input) { integration { id } errors { message } } }', { id })
    .catch(() => undefined);
}
