import type { Pool } from 'pg';
import { requirePermission } from '../accounts/permissions.ts';
import { reachOf } from '../accounts/reach.ts';
import type { Json } from '../events/canonical-json.ts';
import type { Event } from '../events/event.ts';
import { isId, newId } from '../events/id.ts';
import { renderResponseCreated } from '../events/response-created.ts';
import type { PublishedForm, PublishedForms } from '../forms/published-forms.ts';
import type { Caller } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { responseEventData, type RenderedRow } from '../responses/render.ts';
import { readResponses } from '../responses/response-rows.ts';
import { sampleResponse } from '../responses/sample-response.ts';
import { UserError } from '../user-error.ts';
import { refuseUnfit } from './fit-to-form.ts';
import { readFormShape } from './form-shape.ts';
import { readSettings, type SettingsDeps } from './integration-input.ts';
import { ownFormId, partnerOf, requirePartnersOwn } from './own-form.ts';

export interface PreviewsDeps extends SettingsDeps {
  pool: Pool;
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  forms: PublishedForms;
}

export interface PreviewInput {
  formId: string;
  settings: Record<string, unknown>;
  /** Absent: a made-up response is shown. */
  responseId?: string | null | undefined;
}

export type PreviewsService = ReturnType<typeof createPreviewsService>;

/** What an integration would send, before it is there. */
export function createPreviewsService(deps: PreviewsDeps) {
  const { pool, reads, forms } = deps;

  const readRow = async (viewer: Viewer, { form, responseId }: { form: PublishedForm; responseId: PreviewInput['responseId'] }): Promise<RenderedRow> => {
    if (responseId === null || responseId === undefined) return sampleResponse({ ...form, formId: form.id });
    const found = isId('resp', responseId) ? (await readResponses(reads, { reach: reachOf(viewer), ids: [responseId] })).get(responseId) : undefined;
    if (!found || found.formId !== form.id) throw new UserError('NOT_FOUND', 'The form has no response with this id.', ['responseId']);
    if (found.erasedAt) throw new UserError('RESPONSE_ERASED', 'This response was erased.', ['responseId']);
    return found;
  };

  const eventOf = async (form: PublishedForm, row: RenderedRow): Promise<Event> => {
    const definition = await forms.version(form.id, row.formVersion);
    if (!definition) throw new Error(`${form.id} has no version ${row.formVersion}`);
    return {
      id: newId('evt'),
      type: 'response.created',
      organizationId: form.organizationId,
      formId: form.id,
      responseId: row.id,
      position: 0,
      integrationsVersion: 0,
      body: renderResponseCreated(responseEventData({ row, definition })),
    };
  };

  return {
    /**
     * What settings would make of a response. Sends nothing, and refuses what saving the settings would. Throws UserError,
     * and FORBIDDEN for a response to those who may not read any.
     */
    async preview(caller: Caller, { formId, settings: given, responseId }: PreviewInput): Promise<Json> {
      const viewer = requirePermission(caller, 'integrations:write');
      if (responseId) requirePermission(caller, 'responses:read');
      const { provider, settings } = readSettings(deps, given);
      if (partnerOf(viewer)) requirePartnersOwn({ formId, provider });
      const id = await ownFormId(caller.em, { viewer, formId });
      const form = id && (await forms.refresh(id));
      const shape = id && (await readFormShape({ pool, forms }, { formId: id }));
      if (!form || !shape) throw new UserError('NOT_FOUND', 'Your organisation has no form with this id.', ['formId']);
      if (!provider.preview) throw new UserError('INVALID_INPUT', `${provider.title} has no preview.`, ['settings', provider.name]);
      refuseUnfit(provider, { settings, shape });
      return provider.preview(await eventOf(form, await readRow(viewer, { form, responseId })), { settings, form: shape });
    },
  };
}
