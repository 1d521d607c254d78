import type { ServiceError } from '../../errors.ts';
import {
  type DownloadsOutcome,
  type IssueDownloadsDependencies,
  issueDownloads,
} from '../../grants/download/issue-downloads.ts';
import { downloadRequestBody, parseDownloadRequestBody } from '../../grants/download/request.ts';
import type { DenialLimiter } from '../../grants/ports/limiter.ts';
import {
  DOWNLOAD_EXAMPLE,
  DOWNLOAD_REQUEST_EXAMPLE,
  DOWNLOADS_EXAMPLE,
  DOWNLOADS_REQUEST_EXAMPLE,
} from '../docs/openapi-examples.ts';
import { type AuditDependencies, logAudit, requireOpenAudit, requireWrittenAudit } from '../grants/audit.ts';
import { decidedKeysOf } from '../grants/decided-keys.ts';
import { downloadAudit } from '../grants/download-audit.ts';
import { limitHeaders } from '../grants/limit-headers.ts';
import { deniedBy, limitReached } from '../grants/outcome.ts';
import { callerContextOf } from '../plugins/authentication.ts';
import { countDeniedList } from '../plugins/denial-limit.ts';
import { MAX_LIST_BODY_BYTES } from '../plugins/json-body.ts';
import { PROBLEMS } from '../plugins/problem-json.ts';
import { downloadListJson } from './download-list-json.ts';
import { downloadGrants, type OneDownload } from './downloads-response.ts';
import type { Route } from './route.ts';

export type CreateDownloadsDependencies = IssueDownloadsDependencies &
  AuditDependencies & {
    /** Counts requests of which no key is granted. */
    readonly denials: DenialLimiter;
  };

/** `POST /v1/downloads`: grants the download of up to 1,000 objects. */
export const createDownloads: Route<CreateDownloadsDependencies> = {
  method: 'POST',
  path: '/v1/downloads',
  isPublic: false,
  maxBodyBytes: MAX_LIST_BODY_BYTES,
  openapi: {
    operationId: 'issueDownloads',
    tag: 'Downloads',
    summary: 'Request permission to download objects',
    requestBody: {
      name: 'DownloadRequest',
      schema: downloadRequestBody,
      examples: { one: DOWNLOAD_REQUEST_EXAMPLE, list: DOWNLOADS_REQUEST_EXAMPLE },
    },
    responses: {
      200: {
        description: 'The URL of one object (`key`), or an item for each of many (`keys`).',
        content: {
          name: 'DownloadGrants',
          schema: downloadGrants,
          examples: { one: DOWNLOAD_EXAMPLE, list: DOWNLOADS_EXAMPLE },
        },
      },
    },
    problems: ['invalid_request', 'policy_denied', 'body_too_large', 'unsupported_media_type'],
  },
  handler: (dependencies) => {
    const { auditGate, logger, observer, yieldToEventLoop } = dependencies;
    const issueDependencies = { ...dependencies, beforeGrant: () => requireOpenAudit(auditGate) };
    return async (request, reply) => {
      const callerContext = callerContextOf(request);
      const body = parseDownloadRequestBody(request.body);
      const result = await issueDownloads(issueDependencies, callerContext, body);
      const isList = body.keys !== undefined;
      // Neither the log line nor the response of a long list follows the signatures in one turn.
      if (isList) await yieldToEventLoop();
      logAudit(logger, request, reply, statusOf(result, isList), downloadAudit(callerContext, body, result));
      if (auditGate && result.outcome === 'granted') await requireWrittenAudit(auditGate, request);
      observer.decidedKeys(decidedKeysOf(result));
      if (result.outcome === 'limited') throw limitReached(result.verdict);
      const denial = isList && result.outcome === 'denied' ? denialOf(result) : undefined;
      if (denial) countDeniedList(dependencies, request, denial);
      if (isList) await yieldToEventLoop();
      const verdict = result.outcome === 'granted' ? result.verdict : undefined;
      const headers = { 'cache-control': 'no-store', ...(verdict && limitHeaders(verdict)) };
      if (!isList) return { status: 200, headers, json: oneDownload(result) };
      return {
        status: 200,
        headers: { ...headers, 'content-type': 'application/json; charset=utf-8' },
        body: await downloadListJson(result, request.id, dependencies),
      };
    };
  },
};

/** The status that the log line of the outcome has. */
function statusOf({ outcome }: DownloadsOutcome, isList: boolean): number {
  if (outcome === 'limited') return PROBLEMS.rate_limited.status;
  return outcome === 'denied' && !isList ? PROBLEMS.policy_denied.status : 200;
}

/** The denial of the first key of a list of which no key is granted. */
function denialOf({ downloads: [first] }: DownloadsOutcome): ServiceError | undefined {
  return first && !first.decision.allowed ? deniedBy(first.decision.violations) : undefined;
}

function oneDownload(result: DownloadsOutcome): OneDownload {
  const [download] = result.downloads;
  if (!download) throw new TypeError('a request without keys is not valid');
  const { key, decision, url } = download;
  if (!decision.allowed) throw deniedBy(decision.violations);
  if (result.outcome !== 'granted' || url === undefined) throw new TypeError('a granted key has a URL');
  return { key, target: decision.grant.rule.target.name, method: 'GET', url, ...result.validity };
}
