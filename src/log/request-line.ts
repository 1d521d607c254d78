import { cutForLog } from '../text/log-text.ts';
import { type Audit, renderAuditJson } from './audit-json.ts';
import { escapeJsonString, jsonProperty } from './json.ts';

/** One request, as the log records it. Texts may come from the client unless stated otherwise. */
export type RequestLine = {
  /** An id of the service, which needs no escaping. */
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly traceId: string | undefined;
  /** A method that Node knows; null if the request could not be parsed. */
  readonly method: string | null;
  /** The pattern of a route, never the URL that was sent; null if no route accepts the request. */
  readonly route: string | null;
  readonly status: number;
  readonly rejection?: Rejection | undefined;
  readonly audit?: Audit | undefined;
  /** Undefined if it is not known when the request began. */
  readonly durationMs?: number | undefined;
  /** The address of the client; behind a trusted proxy, as that proxy states it in a header. */
  readonly remoteAddress: string | undefined;
};

/** Why a request was rejected. */
export type Rejection = {
  /** A stable code, which needs no escaping. */
  readonly code: string;
  readonly detail: string;
  /** Further fields of the line, by name. */
  readonly logFields?: Readonly<Record<string, string>> | undefined;
};

/**
 * Longest `detail` in a log line, in UTF-16 code units. Details name what the caller sent, and
 * lists of the policy.
 */
const MAX_DETAIL_LENGTH = 1024;

/** The line of a request as JSON without its braces, for `writeLine` of the logger. */
export function renderRequestLine(line: RequestLine): string {
  const { requestId, clientRequestId, traceId, method, route, status, rejection, audit } = line;
  const { durationMs, remoteAddress } = line;
  const ids = `"requestId":"${requestId}"${jsonProperty('clientRequestId', clientRequestId)}${jsonProperty('traceId', traceId)}`;
  const methodJson = method === null ? 'null' : `"${method}"`;
  const routeJson = route === null ? 'null' : `"${route}"`;
  const request = `"method":${methodJson},"route":${routeJson},"status":${status}`;
  const why = rejection === undefined ? '' : rejectionProperties(rejection);
  const auditProperty = audit === undefined ? '' : `,"audit":${renderAuditJson(audit)}`;
  const duration = durationMs === undefined ? '' : `,"durationMs":${durationMs}`;
  const address = remoteAddress === undefined ? '' : jsonProperty('remoteAddress', cutForLog(remoteAddress));
  const msg = audit === undefined ? 'request completed' : `${audit.operation} ${audit.outcome}`;
  return `${ids},${request}${why}${auditProperty}${duration}${address},"msg":"${msg}"`;
}

function rejectionProperties({ code, detail, logFields }: Rejection): string {
  let properties = `,"code":"${code}","detail":"${escapeJsonString(detail.slice(0, MAX_DETAIL_LENGTH))}"`;
  if (logFields)
    for (const [name, value] of Object.entries(logFields)) properties += jsonProperty(name, cutForLog(value));
  return properties;
}
