import { lexicographicSortSchema, printSchema, type GraphQLSchema } from 'graphql';
import '../accounts/accounts.graphql.ts';
import '../accounts/api-keys.graphql.ts';
import '../accounts/invitations.graphql.ts';
import '../accounts/members.graphql.ts';
import '../completeness/completeness.graphql.ts';
import '../deliveries/dead-letters.graphql.ts';
import '../deliveries/deliveries.graphql.ts';
import '../deliveries/delivery-changes.graphql.ts';
import '../deliveries/redeliver.graphql.ts';
import '../deliveries/response-deliveries.graphql.ts';
import '../forms/form-files.graphql.ts';
import '../forms/form-history.graphql.ts';
import '../forms/forms.graphql.ts';
import '../forms/granted-forms.graphql.ts';
import '../forms/question-edits.graphql.ts';
import '../forms/section-edits.graphql.ts';
import { builder } from '../graphql/builder.ts';
import '../graphql/scalars.ts';
import '../integrations/integrations.graphql.ts';
import '../integrations/previews.graphql.ts';
import '../jobs/jobs.graphql.ts';
import '../integrations/rule-tests.graphql.ts';
import '../replays/replay-changed.graphql.ts';
import '../replays/replays.graphql.ts';
import '../responses/amend.graphql.ts';
import '../responses/answer.graphql.ts';
import '../responses/erase.graphql.ts';
import '../responses/response-events.graphql.ts';
import '../responses/responses.graphql.ts';
import '../responses/review.graphql.ts';
import '../responses/submit.graphql.ts';

/** Builds the schema from all that the features above have registered. Once in a process: it takes a while. */
export const buildSchema = (): GraphQLSchema => builder.toSchema();

/** The schema as it stands in schema.graphql: sorted, so that it differs only where the API does. */
export const printedSchema = (schema: GraphQLSchema): string => `${printSchema(lexicographicSortSchema(schema))}\n`;
