import type { WireRequest } from './wire-request.ts';

/** One of a bucket's CORS rules, as OSS has them. An origin and a header may hold one `*`. */
export type CorsRule = {
  readonly allowedOrigins: readonly string[];
  readonly allowedMethods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAgeSeconds?: number;
};

/** The headers that answer a preflight, from the first rule that matches; undefined when none does. */
export function answerPreflight(
  rules: readonly CorsRule[],
  { headers }: WireRequest,
): Record<string, string> | undefined {
  const requested = (headers.get('access-control-request-headers') ?? '')
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const origin = headers.get('origin');
  const method = headers.get('access-control-request-method');
  const rule = rules.find(
    (one) =>
      matches(one, origin, method) &&
      requested.every((name) =>
        one.allowedHeaders.some((pattern) => matchesPattern(pattern.toLowerCase(), name)),
      ),
  );
  if (!rule || origin === undefined) return undefined;
  return {
    ...originHeaders(rule, origin),
    'Access-Control-Allow-Methods': rule.allowedMethods.join(', '),
    ...(requested.length > 0 && { 'Access-Control-Allow-Headers': requested.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'Access-Control-Max-Age': String(rule.maxAgeSeconds) }),
  };
}

/** The headers that let a page read an answer, also a refusal; none when no rule matches. */
export function corsHeaders(
  rules: readonly CorsRule[],
  { method, headers }: WireRequest,
): Record<string, string> {
  const origin = headers.get('origin');
  const rule = rules.find((one) => matches(one, origin, method));
  return rule && origin !== undefined ? originHeaders(rule, origin) : {};
}

function originHeaders(rule: CorsRule, origin: string): Record<string, string> {
  return {
    'Access-Control-Allow-Origin': rule.allowedOrigins.includes('*') ? '*' : origin,
    ...(rule.exposeHeaders.length > 0 && { 'Access-Control-Expose-Headers': rule.exposeHeaders.join(', ') }),
    Vary: 'Origin',
  };
}

function matches(rule: CorsRule, origin: string | undefined, method: string | undefined): boolean {
  if (origin === undefined || method === undefined || !rule.allowedMethods.includes(method)) return false;
  return rule.allowedOrigins.some((pattern) => matchesPattern(pattern, origin));
}

function matchesPattern(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return pattern === text;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}
