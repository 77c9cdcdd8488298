/** What a GraphQL request asks. */
export interface RequestParams {
  query: string;
  variables: Record<string, unknown> | undefined;
  operationName: string | undefined;
}

export type ReadParams = { params: RequestParams } | { problem: string; code?: string };

/** Source: GraphQL over HTTP, "Request Parameters". */
export function readBody(text: string): ReadParams {
  try {
    return readParams(JSON.parse(text));
  } catch {
    return { problem: 'The body is not valid JSON.' };
  }
}

function readParams(value: unknown): ReadParams {
  if (Array.isArray(value)) return { problem: 'One request holds one operation; batches are not supported.', code: 'BATCHING_UNSUPPORTED' };
  if (!isObject(value)) return { problem: 'The body must be a JSON object with a "query".' };
  const { query, variables, operationName, extensions } = value;
  if (typeof query !== 'string') return { problem: '"query" must be a string.' };
  if (!isAbsent(variables) && !isObject(variables)) return { problem: '"variables" must be an object.' };
  if (!isAbsent(operationName) && typeof operationName !== 'string') return { problem: '"operationName" must be a string.' };
  if (!isAbsent(extensions) && !isObject(extensions)) return { problem: '"extensions" must be an object.' };
  return { params: { query, variables: variables ?? undefined, operationName: operationName ?? undefined } };
}

const isAbsent = (value: unknown): value is null | undefined => value === null || value === undefined;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
