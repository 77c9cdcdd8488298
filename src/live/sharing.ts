import { Kind, TypeInfo, getNamedType, isLeafType, visit, visitWithTypeInfo, type DocumentNode, type GraphQLSchema } from 'graphql';
import type { ReadyOperation } from '../api/prepare.ts';
import type { LiveTopic } from '../graphql/live-topic.ts';
import type { Viewer } from '../graphql/viewer.ts';

/** What shows the same to all members of an organisation with the same role: nothing here asks who somebody is. */
const impersonal = new Set(['ResponseEvent', 'Event', 'Response', 'Respondent', 'Collector', 'Flag', 'Answer', 'Question', 'Choice', 'Section', 'Form', 'Pipeline', 'DeliveryChange', 'Delivery', 'Attempt', 'Tracking']);

/**
 * Names those who can be told the very same bytes: the same things of the same topic, asked for by the same operation
 * with the same variables, by callers with the same permissions. A variable that only says where to begin tells nobody
 * apart: after an outage all come back with different ones.
 */
export function sharingKey(schema: GraphQLSchema, { ready, viewer, topic }: { ready: ReadyOperation; viewer: Viewer; topic: LiveTopic }): string {
  const { query, operationName, variables = {} } = ready.params;
  const begin = beginVariable(ready);
  const shared = Object.entries(variables).filter(([name]) => name !== begin).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([topic.key, permissionsOf(viewer, isPersonal(schema, ready.document)), query, operationName ?? null, shared]);
}

/** Of a person their role, of a key its scopes. Who it is counts where the operation could show it, and for partners, who see what is their own. */
function permissionsOf({ organizationId, userId, credential }: Viewer, personal: boolean): unknown[] {
  const may = credential.kind === 'key' ? credential.scopes.toSorted() : credential.role;
  return [organizationId, may, personal || may === 'partner' ? userId : null];
}

function isPersonal(schema: GraphQLSchema, document: DocumentNode): boolean {
  const types = new TypeInfo(schema);
  let found = false;
  visit(document, visitWithTypeInfo(types, {
    Field: () => {
      const type = types.getType();
      const named = type ? getNamedType(type) : undefined;
      if (named && !isLeafType(named) && !impersonal.has(named.name)) found = true;
    },
  }));
  return found;
}

/** The variable of the argument `after` of the subscription's field, where nothing else uses it. */
function beginVariable({ document, operation }: ReadyOperation): string | undefined {
  const [field] = operation.selectionSet.selections;
  if (field?.kind !== Kind.FIELD) return undefined;
  const value = field.arguments?.find(({ name }) => name.value === 'after')?.value;
  if (value?.kind !== Kind.VARIABLE) return undefined;
  let uses = 0;
  visit(document, {
    VariableDefinition: () => false,
    Variable: ({ name }) => {
      if (name.value === value.name.value) uses += 1;
    },
  });
  return uses === 1 ? value.name.value : undefined;
}
