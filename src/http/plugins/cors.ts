import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Clock } from '../../clock.ts';
import { createLogThrottle } from '../../log/log-throttle.ts';
import type { ServiceLogger } from '../../log/logger.ts';

export type CorsOptions = {
  /**
   * The origins whose pages may call the service, exact or of ANY_PORT_ORIGINS; empty switches CORS
   * off.
   */
  readonly origins: readonly string[];
  /** Request headers that pages may send besides {@link ALLOWED_HEADERS}. */
  readonly extraHeaders: readonly string[];
  readonly logger: Pick<ServiceLogger, 'warn'>;
  readonly clock: Clock;
};

/**
 * The request headers that every allowed page may send: those of the API, and those that tracing
 * libraries add by themselves.
 */
export const ALLOWED_HEADERS: readonly string[] = [
  'Authorization',
  'Content-Type',
  'X-Request-Id',
  'Idempotency-Key',
  'traceparent',
  'tracestate',
  'baggage',
  'sentry-trace',
  'X-Requested-With',
  'X-CSRF-Token',
];

const EXPOSED_HEADERS = [
  'X-Request-Id',
  'Retry-After',
  'WWW-Authenticate',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
];

/**
 * Browsers repeat the preflight after this time: a removed header or origin stops working within
 * it.
 */
const MAX_AGE_SECONDS = 600;

/** An origin that is not listed is logged once in this time. */
const LOG_INTERVAL_MS = 60_000;

/** At most this many origins are remembered, and so logged within {@link LOG_INTERVAL_MS}. */
const MAX_REMEMBERED_ORIGINS = 100;

const MAX_LOGGED_ORIGIN_LENGTH = 256;

const REJECTED_PREFLIGHT =
  'The origin of this page is not allowed to call the service. The operator can add it to CORS_ORIGINS.';

/**
 * The CORS protocol (https://fetch.spec.whatwg.org/#http-cors-protocol) for pages of the listed
 * origins, private networks included.
 *
 * A preflight of a listed origin gets 204 on every path, so that the page can read the 404 of the
 * request that follows. Any other OPTIONS request gets 405 or 404 and no `Access-Control-*` header;
 * a preflight among them is logged with its origin. Register it after {@link registerNotFound} and
 * before authentication: a preflight has no token.
 */
export async function registerCors(
  app: FastifyInstance,
  { origins, extraHeaders, logger, clock }: CorsOptions,
): Promise<void> {
  const listed: ReadonlySet<string> = new Set(origins);
  const isAllowed = (origin: string) =>
    (listed.has(origin) && !origin.endsWith(':*')) ||
    (listed.has('http://localhost:*') && /^http:\/\/localhost(:\d{1,5})?$/.test(origin)) ||
    (listed.has('http://127.0.0.1:*') && /^http:\/\/127\.0\.0\.1(:\d{1,5})?$/.test(origin));
  const mayLog = createLogThrottle({ intervalMs: LOG_INTERVAL_MS, maxNames: MAX_REMEMBERED_ORIGINS });

  app.addHook('onRequest', (request, reply, done) => {
    if (request.method !== 'OPTIONS') return done();
    const { origin, 'access-control-request-private-network': privateNetwork } = request.headers;
    if (origin === undefined || !isPreflight(request)) return done(app.noRouteError(request));
    if (!isAllowed(origin)) {
      logRejectedOrigin(origin);
      return done(app.noRouteError(request, REJECTED_PREFLIGHT));
    }
    // https://wicg.github.io/private-network-access/: a public page that calls a service on a
    // private address.
    if (privateNetwork === 'true') reply.header('access-control-allow-private-network', 'true');
    done();
  });
  if (origins.length === 0) return;
  await app.register(cors, {
    origin: (origin, decide) => decide(null, origin !== undefined && isAllowed(origin) ? origin : false),
    methods: ['GET', 'HEAD', 'POST'],
    allowedHeaders: [...new Set([...ALLOWED_HEADERS, ...extraHeaders])].join(', '),
    exposedHeaders: EXPOSED_HEADERS.join(', '),
    maxAge: MAX_AGE_SECONDS,
    strictPreflight: false,
  });

  function logRejectedOrigin(sent: string): void {
    const origin = sent.slice(0, MAX_LOGGED_ORIGIN_LENGTH).replaceAll(/[^ -~]/g, '?');
    if (!mayLog(origin, clock().getTime())) return;
    logger.warn(
      { origin, corsOrigins: origins.length },
      'a page was rejected: its origin is not in CORS_ORIGINS',
    );
  }
}

function isPreflight({ headers }: FastifyRequest): boolean {
  return headers.origin !== undefined && headers['access-control-request-method'] !== undefined;
}
