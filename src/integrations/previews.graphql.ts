import { mutation } from '../graphql/mutation.ts';
import { IntegrationSettingsInput } from './integrations.graphql.ts';
import type { PreviewsService } from './previews.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    previews: PreviewsService;
  }
}

mutation('previewIntegration', {
  description: 'Shows what an integration with these settings would send. Nothing is sent or saved.',
  input: (t) => ({
    formId: t.id({ required: true }),
    settings: t.field({ type: IntegrationSettingsInput, required: true }),
    responseId: t.id({ description: 'What of; absent: of a made-up response.' }),
  }),
  payload: { preview: 'JSON' },
  isLogged: false,
  run: async (input, context) => ({ preview: await context.services.previews.preview(context, input) }),
});
