import type { ServiceAccount } from './accounts.ts';

/** The JSON key file of a service account, as the Google Cloud console makes it. */
export const keyFileOf = ({ email, project, privateKey, privateKeyId }: ServiceAccount): string =>
  JSON.stringify({
    type: 'service_account',
    project_id: project,
    private_key_id: privateKeyId,
    private_key: privateKey,
    client_email: email,
    token_uri: 'https://oauth2.googleapis.com/token',
  });
