import type { ApiClient } from '../../src/bin/demo/api-client.ts';
import { householdForm } from '../../src/bin/demo/household.ts';

/** Registers the owner of a new organisation, logs the client in as them, and answers the token. */
export async function registerOwner(api: ApiClient): Promise<string> {
  const { token } = await api.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', {
    username: 'owner',
    email: 'owner@example.org',
    password: 'correct horse battery',
  });
  api.login(token);
  return token;
}

/** Creates the household survey, and answers its id. */
export async function createHousehold(api: ApiClient): Promise<string> {
  const { form } = await api.call<{ form: { id: string } }>(
    'mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }',
    householdForm(),
  );
  return form.id;
}

/** Connects a webhook to a form. */
export async function connectWebhook(api: ApiClient, { formId, ...webhook }: { formId: string; url: string; ordered?: boolean }): Promise<{ id: string; secret: string }> {
  const { integration, secret } = await api.call<{ integration: { id: string }; secret: string }>(
    'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } secret errors { message } } }',
    { formId, settings: { webhook } },
  );
  return { id: integration.id, secret };
}
