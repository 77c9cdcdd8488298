import { z } from 'zod';
import { InvalidRequest } from './invalid-request.ts';
import { checkMetadataSize, dataFilter, developerMetadata, matchMetadata, metadataResource, placeOf } from './metadata.ts';
import { requestKind } from './request.ts';
import type { DeveloperMetadata } from './spreadsheet.ts';

export const createDeveloperMetadata = requestKind(z.strictObject({ developerMetadata }), (draft, { developerMetadata: given }) => {
  const { spreadsheet, project } = draft;
  if (!given.metadataKey) throw new InvalidRequest('developerMetadata.metadataKey must be specified.');
  if (given.visibility === undefined) throw new InvalidRequest('developerMetadata.visibility must be specified.');
  const metadataId = given.metadataId ?? draft.newId();
  if (metadataId <= 0) throw new InvalidRequest('developerMetadata.metadataId must be positive.');
  if (spreadsheet.metadata.some((item) => item.metadataId === metadataId)) throw new InvalidRequest(`Developer metadata with id ${metadataId} already exists.`);
  const item: DeveloperMetadata = {
    metadataId,
    metadataKey: given.metadataKey,
    ...(given.metadataValue !== undefined && { metadataValue: given.metadataValue }),
    visibility: given.visibility,
    project,
    place: placeOf(spreadsheet, given.location),
  };
  spreadsheet.metadata.push(item);
  checkMetadataSize(spreadsheet);
  return { developerMetadata: metadataResource(item) };
});

const updateInput = z.strictObject({ dataFilters: z.array(dataFilter).min(1), developerMetadata, fields: z.string().optional() });

export const updateDeveloperMetadata = requestKind(updateInput, ({ spreadsheet, project }, { dataFilters, developerMetadata: given, fields = '' }) => {
  if (fields === '') throw new InvalidRequest("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)");
  const names = fields === '*' ? ['metadataKey', 'metadataValue', 'location', 'visibility'] : fields.split(',').map((name) => name.trim());
  const changed = new Set(dataFilters.flatMap((filter) => matchMetadata(spreadsheet, { filter, project })));
  for (const item of changed) {
    if (names.includes('metadataKey') && given.metadataKey) item.metadataKey = given.metadataKey;
    if (names.includes('metadataValue')) item.metadataValue = given.metadataValue ?? '';
    if (names.includes('location') && given.location) item.place = placeOf(spreadsheet, given.location);
    if (names.includes('visibility') && given.visibility) item.visibility = given.visibility;
  }
  checkMetadataSize(spreadsheet);
  return { developerMetadata: [...changed].map(metadataResource) };
});

export const deleteDeveloperMetadata = requestKind(z.strictObject({ dataFilter }), ({ spreadsheet, project }, { dataFilter: filter }) => {
  const deleted = new Set(matchMetadata(spreadsheet, { filter, project }));
  spreadsheet.metadata = spreadsheet.metadata.filter((item) => !deleted.has(item));
  return { deletedDeveloperMetadata: [...deleted].map(metadataResource) };
});
