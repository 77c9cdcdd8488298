import type { Reply } from '../simulators/server.ts';

/** An answer of Google's that is an error: what both of its forms are made from. */
export class GoogleError extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

export interface Problem {
  httpStatus: number;
  /** The canonical code: `INVALID_ARGUMENT`. */
  status: string;
  /** What Drive, and Sheets in its older form, call it: `rateLimitExceeded`. */
  reason: string;
  message: string;
  domain?: string;
  location?: { location: string; locationType: string };
  details?: unknown[];
  headers?: Record<string, string>;
}

/**
 * The answer with its body: Drive's has `errors[].reason` only, that of Sheets `status` and `details` too.
 * Source: Drive API "Resolve errors"; google.rpc.Status and ErrorInfo in "API design guide: Errors".
 */
export function replyOf(error: GoogleError, api: 'sheets' | 'drive'): Reply {
  const { httpStatus, status, reason, message, domain = 'global', location, details, headers = {} } = error.problem;
  const errors = [{ message, domain, reason, ...location }];
  const modern = api === 'sheets' ? { status, ...(details && { details }) } : {};
  return { status: httpStatus, headers, body: { error: { code: httpStatus, message, errors, ...modern } } };
}

/** The errors that a caller has to tell apart, as Google words them. */
export const googleErrors = {
  invalidArgument: (message: string) => new GoogleError({ httpStatus: 400, status: 'INVALID_ARGUMENT', reason: 'badRequest', message }),

  invalidValue: (parameter: string) =>
    new GoogleError({
      httpStatus: 400,
      status: 'INVALID_ARGUMENT',
      reason: 'invalid',
      message: 'Invalid Value',
      location: { location: parameter, locationType: 'parameter' },
    }),

  invalidSharing: (message: string) =>
    new GoogleError({ httpStatus: 400, status: 'INVALID_ARGUMENT', reason: 'invalidSharingRequest', message }),

  unauthenticated: () =>
    new GoogleError({
      httpStatus: 401,
      status: 'UNAUTHENTICATED',
      reason: 'authError',
      message:
        'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
      location: { location: 'Authorization', locationType: 'header' },
      headers: { 'www-authenticate': 'Bearer realm="https://accounts.google.com/", error="invalid_token"' },
    }),

  insufficientScopes: () =>
    new GoogleError({
      httpStatus: 403,
      status: 'PERMISSION_DENIED',
      reason: 'insufficientPermissions',
      message: 'Request had insufficient authentication scopes.',
      details: [errorInfo('ACCESS_TOKEN_SCOPE_INSUFFICIENT', {})],
    }),

  forbidden: () =>
    new GoogleError({ httpStatus: 403, status: 'PERMISSION_DENIED', reason: 'forbidden', message: 'The caller does not have permission' }),

  insufficientFilePermissions: () =>
    new GoogleError({
      httpStatus: 403,
      status: 'PERMISSION_DENIED',
      reason: 'insufficientFilePermissions',
      message: 'The user does not have sufficient permissions for this file.',
    }),

  storageQuotaExceeded: (isServiceAccount = true) =>
    new GoogleError({
      httpStatus: 403,
      status: 'PERMISSION_DENIED',
      reason: 'storageQuotaExceeded',
      domain: 'usageLimits',
      message: isServiceAccount
        ? 'Service Accounts do not have storage quota. Leverage shared drives (https://developers.google.com/workspace/drive/api/guides/about-shareddrives), or use OAuth delegation (http://support.google.com/a/answer/7281227) instead.'
        : "The user's Drive storage quota has been exceeded.",
    }),

  sharingRateLimitExceeded: () =>
    new GoogleError({
      httpStatus: 403,
      status: 'PERMISSION_DENIED',
      reason: 'sharingRateLimitExceeded',
      message: 'Rate limit exceeded. User message: "Sorry, you have exceeded your sharing quota."',
    }),

  serviceDisabled: (service: string, project: string) =>
    new GoogleError({
      httpStatus: 403,
      status: 'PERMISSION_DENIED',
      reason: 'accessNotConfigured',
      domain: 'usageLimits',
      message: `${service} has not been used in project ${project} before or it is disabled.`,
      details: [errorInfo('SERVICE_DISABLED', { service, consumer: `projects/${project}` })],
    }),

  notFound: () =>
    new GoogleError({ httpStatus: 404, status: 'NOT_FOUND', reason: 'notFound', message: 'Requested entity was not found.' }),

  fileNotFound: (fileId: string) =>
    new GoogleError({
      httpStatus: 404,
      status: 'NOT_FOUND',
      reason: 'notFound',
      message: `File not found: ${fileId}.`,
      location: { location: 'fileId', locationType: 'parameter' },
    }),

  /** Drive's way of throttling: 403, or 429 with the same body. */
  userRateLimitExceeded: (httpStatus: 403 | 429 = 403) =>
    new GoogleError({
      httpStatus,
      status: 'RESOURCE_EXHAUSTED',
      reason: 'userRateLimitExceeded',
      domain: 'usageLimits',
      message: 'User Rate Limit Exceeded',
    }),

  quotaExceeded: () =>
    new GoogleError({
      httpStatus: 403,
      status: 'RESOURCE_EXHAUSTED',
      reason: 'quotaExceeded',
      domain: 'usageLimits',
      message: 'The request cannot be completed because you have exceeded your quota.',
    }),

  /** `retryAfterSeconds` where Google is to say when; mostly it does not. */
  rateLimitExceeded: (limit: RateLimit = { kind: 'Write', per: 'user', project: '1' }, retryAfterSeconds?: number) =>
    new GoogleError({
      httpStatus: 429,
      status: 'RESOURCE_EXHAUSTED',
      reason: 'rateLimitExceeded',
      message: `Quota exceeded for quota metric '${limit.kind} requests' and limit '${limit.kind} requests per minute${limit.per === 'user' ? ' per user' : ''}' of service 'sheets.googleapis.com' for consumer 'project_number:${limit.project}'.`,
      details: [
        errorInfo('RATE_LIMIT_EXCEEDED', {
          service: 'sheets.googleapis.com',
          consumer: `projects/${limit.project}`,
          quota_limit: `${limit.kind}RequestsPerMinutePer${limit.per === 'user' ? 'User' : 'Project'}`,
        }),
      ],
      ...(retryAfterSeconds !== undefined && { headers: { 'retry-after': String(retryAfterSeconds) } }),
    }),

  backendError: () =>
    new GoogleError({
      httpStatus: 503,
      status: 'UNAVAILABLE',
      reason: 'backendError',
      message: 'The service is currently unavailable.',
    }),

  internalError: () =>
    new GoogleError({ httpStatus: 500, status: 'INTERNAL', reason: 'internalError', message: 'Internal error encountered.' }),
};

export interface RateLimit {
  kind: 'Read' | 'Write';
  per: 'user' | 'project';
  project: string;
}

function errorInfo(reason: string, metadata: Record<string, string>): unknown {
  return { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason, domain: 'googleapis.com', metadata };
}
