import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { ErrorCode } from '../../errors.ts';
import type { ClientProtocol } from './client-protocol.ts';

/**
 * One operation of the HTTP service, as a value: the app registers a list of them, and the OpenAPI
 * document renders the same list. `Dependencies` is what its handler needs.
 */
export type Route<Dependencies> = {
  readonly method: 'GET' | 'POST';
  /** The path in Fastify's notation: `/docs/:file`. */
  readonly path: string;
  /** Whether the operation needs no token. */
  readonly isPublic: boolean;
  /** The bytes of a body that are read at most, if not those of `MAX_BODY_BYTES`. */
  readonly maxBodyBytes?: number;
  /** Whether the handler needs the bytes of the body, as `rawBody` of the request. */
  readonly keepsRawBody?: boolean;
  /** The protocol of its client, if the client has its own. */
  readonly protocol?: ClientProtocol;
  readonly openapi: OperationDocument;
  /**
   * Creates the handler; undefined if the process with these dependencies does not serve the
   * operation.
   */
  readonly handler: (dependencies: Dependencies) => Handler | undefined;
};

/**
 * Handles one request. A rejection is thrown as a ServiceError, which becomes a problem document.
 * @param reply for its age only: what is sent is the value that the handler returns.
 */
export type Handler = (
  request: FastifyRequest,
  reply: FastifyReply,
) => RouteResponse | Promise<RouteResponse>;

/** A response that is not a problem document. */
export type RouteResponse = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON, with its `Content-Type` or that of the route's protocol. */
  readonly json?: unknown;
  /** Sent unchanged, instead of `json`. */
  readonly body?: string | Buffer;
};

/** A text that no cache may keep. */
export function textResponse(status: number, type: string, body: string): RouteResponse {
  return { status, headers: { 'cache-control': 'no-store', 'content-type': type }, body };
}

/**
 * An operation in the OpenAPI document. The problems that every operation has are added when it is
 * rendered.
 */
export type OperationDocument = {
  readonly operationId: string;
  readonly tag: 'Uploads' | 'Downloads' | 'Callbacks' | 'Operation';
  readonly summary: string;
  readonly requestBody?: JsonContent;
  /** The responses that are not problem documents, by status. */
  readonly responses: Readonly<Record<number, ResponseDocument>>;
  /** The problems that only some operations have. */
  readonly problems?: readonly ErrorCode[];
  readonly pathParameters?: readonly Parameter[];
  /** Request headers that only this operation reads. None of them is required. */
  readonly requestHeaders?: readonly Parameter[];
};

export type ResponseDocument = {
  readonly description: string;
  /** Names of response headers besides `X-Request-Id`. */
  readonly headers?: readonly string[];
  /** Missing if the response has no body. */
  readonly content?: JsonContent | TextContent;
};

export type JsonContent = {
  /** The name of the schema in the document. */
  readonly name: string;
  readonly schema: z.ZodType;
} & (
  | { readonly example: unknown }
  /** By name. */
  | { readonly examples: Readonly<Record<string, unknown>> }
);

export type TextContent = { readonly mediaType: string; readonly example: string };

export type Parameter = {
  readonly name: string;
  readonly description: string;
  /** The page `/docs` sends it by default, so a header that is not for every request has none. */
  readonly example?: string;
};
