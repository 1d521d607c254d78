import type { CorsRule } from './options.ts';

export type CorsHeaders = Readonly<Record<string, string>>;

/**
 * The headers of the response to a preflight, from the first rule that allows origin, method and
 * all headers together (OSS help: "CORS"). Null if no rule does: OSS then sends no CORS header at
 * all.
 */
export function preflightHeaders(
  rules: readonly CorsRule[],
  origin: string,
  method: string,
  requestedHeaders: string,
): CorsHeaders | null {
  const headers = requestedHeaders
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  const rule = rules.find(
    (one) =>
      allowsOrigin(one, origin) &&
      one.allowedMethods.includes(method) &&
      headers.every((name) => one.allowedHeaders.some((pattern) => matches(pattern, name.toLowerCase()))),
  );
  if (!rule) return null;
  return {
    ...originHeaders(rule, origin),
    'Access-Control-Allow-Methods': rule.allowedMethods.join(', '),
    ...(headers.length > 0 && { 'Access-Control-Allow-Headers': headers.join(', ') }),
    ...(rule.maxAgeSeconds !== undefined && { 'Access-Control-Max-Age': String(rule.maxAgeSeconds) }),
  };
}

/**
 * The headers that let a page read a response or an error, from the first rule that allows origin
 * and method.
 */
export function corsHeaders(rules: readonly CorsRule[], origin: string, method: string): CorsHeaders {
  const rule = rules.find((one) => allowsOrigin(one, origin) && one.allowedMethods.includes(method));
  return rule ? originHeaders(rule, origin) : {};
}

function originHeaders({ allowedOrigins, exposeHeaders }: CorsRule, origin: string): CorsHeaders {
  return {
    'Access-Control-Allow-Origin': allowedOrigins.includes('*') ? '*' : origin,
    ...(exposeHeaders.length > 0 && { 'Access-Control-Expose-Headers': exposeHeaders.join(', ') }),
  };
}

function allowsOrigin({ allowedOrigins }: CorsRule, origin: string): boolean {
  return allowedOrigins.some((pattern) => matches(pattern, origin.toLowerCase()));
}

/** Whether a text matches a pattern. The first `*` matches any text. */
function matches(pattern: string, text: string): boolean {
  const [before = '', after] = pattern.toLowerCase().split(/\*(.*)/s);
  if (after === undefined) return before === text;
  return text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
}
