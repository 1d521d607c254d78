/**
 * A second implementation of the policy's decision, written from the description of the policy file and without any code of
 * `src/policy`, to be compared with the first. It is slow, and it knows only the media types of {@link MEDIA_TYPES}.
 */

export type ModelRule = {
  readonly name: string;
  readonly who: {
    readonly issuer?: string;
    readonly scope?: string | readonly string[];
    readonly claims?: Readonly<Record<string, Accepted | readonly Accepted[]>>;
  };
  readonly target: string;
  readonly prefix: string;
  readonly naming?: 'client' | 'server' | 'either';
  readonly contentTypes: readonly string[];
  /** Bytes. */
  readonly maxSize: number | 'unlimited';
  /** Seconds. */
  readonly expiresIn?: number | { readonly default?: number; readonly max?: number };
  readonly metadata?: { readonly allowed?: readonly string[]; readonly required?: readonly string[] };
  readonly overwrite?: boolean;
  readonly transfers?: readonly ('put' | 'form' | 'multipart')[];
  readonly clientHeaders?: readonly string[];
};

type Accepted = string | number | boolean;

export type ModelCaller = {
  readonly issuer: string;
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
};

export type ModelRequest = {
  readonly key?: string;
  readonly filename?: string;
  readonly contentType: string;
  readonly contentLength?: number;
  readonly maxContentLength?: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly cacheControl?: string;
  readonly contentDisposition?: string;
  readonly contentEncoding?: string;
  readonly expiresIn?: number;
  readonly overwrite: boolean;
  readonly transfer: 'put' | 'form' | 'multipart';
  readonly target?: string;
};

export type ModelVerdict =
  | {
      readonly allowed: true;
      readonly rule: string;
      readonly prefix: string;
      readonly expiresInSeconds: number;
    }
  /** For each rule for this caller and target: the codes of its violations. */
  | { readonly allowed: false; readonly codes: ReadonlyMap<string, ReadonlySet<string>> };

/** Whether a wildcard matches the type: it is registered with IANA, and no browser runs it. */
export const MEDIA_TYPES: Readonly<Record<string, boolean>> = {
  'image/png': true,
  'image/jpeg': true,
  'image/jpg': false,
  'image/svg+xml': false,
  'text/plain': true,
  'text/csv': true,
  'text/html': false,
  'video/mp4': true,
  'application/pdf': true,
  'application/xml': false,
  'application/x-unknown-content-type': false,
  'application/x-acme': false,
};

const GIB = 1024 ** 3;
const MAX_KEY_BYTES = 1023;

const byteLength = (text: string) => new TextEncoder().encode(text).length;

/** Returns the decision: the first rule that allows the whole request grants it. */
export function modelDecision(
  rules: readonly ModelRule[],
  caller: ModelCaller,
  request: ModelRequest,
): ModelVerdict {
  const codes = new Map<string, ReadonlySet<string>>();
  for (const rule of rules) {
    if (!isForCaller(rule.who, caller)) continue;
    if (request.target !== undefined && request.target !== rule.target) continue;
    const prefix = prefixFor(rule.prefix, caller.claims);
    if (prefix === undefined) continue;
    const wrong = wrongWith(rule, prefix, request);
    if (wrong.size === 0) {
      const expiresInSeconds = request.expiresIn ?? expiry(rule).default;
      return { allowed: true, rule: rule.name, prefix, expiresInSeconds };
    }
    codes.set(rule.name, wrong);
  }
  return { allowed: false, codes };
}

function isForCaller(who: ModelRule['who'], { issuer, scopes, claims }: ModelCaller): boolean {
  if (who.issuer !== undefined && who.issuer !== issuer) return false;
  const wanted = [who.scope ?? []].flat().join(' ').split(' ').filter(Boolean);
  if (wanted.some((scope) => scopes.indexOf(scope) < 0)) return false;
  return Object.entries(who.claims ?? {}).every(([name, accepted]) => {
    const held = lookUp(claims, name);
    const values = Array.isArray(held) ? held : [held];
    return values.some((value) => [accepted].flat().some((one) => matches(one, value)));
  });
}

function matches(accepted: Accepted, value: unknown): boolean {
  if (typeof accepted === 'string' && accepted.at(-1) === '*')
    return typeof value === 'string' && value.slice(0, accepted.length - 1) === accepted.slice(0, -1);
  return typeof accepted === typeof value && accepted === value;
}

function lookUp(claims: unknown, name: string): unknown {
  const names =
    name[0] === '/'
      ? name
          .slice(1)
          .split('/')
          .map((part) => part.split('~1').join('/').split('~0').join('~'))
      : [name];
  let value = claims;
  for (const one of names) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(one);
  }
  return value;
}

function prefixFor(template: string, claims: ModelCaller['claims']): string | undefined {
  let isUsable = true;
  const prefix = template.replaceAll(/{(.+?)}/g, (_all, name: string) => {
    const value = lookUp(claims, name);
    const text =
      typeof value === 'number' && Math.abs(value) < 2 ** 53 && value % 1 === 0 ? `${value}` : value;
    if (typeof text !== 'string' || text === '' || text === '.' || text === '..' || text.length > 128)
      isUsable = false;
    else if ([...text].some((character) => character < ' ' || character > '~' || '/\\'.includes(character)))
      isUsable = false;
    return String(text);
  });
  return isUsable ? prefix : undefined;
}

function wrongWith(rule: ModelRule, prefix: string, request: ModelRequest): ReadonlySet<string> {
  const codes = new Set<string>();
  const isForm = request.transfer === 'form';
  if (!(rule.transfers ?? ['put']).includes(request.transfer)) codes.add('transfer_not_allowed');
  if (isForm && (request.key ?? prefix).split('${').length > 1) codes.add('key_not_allowed');
  if (request.key === undefined) {
    if (rule.naming === 'client') codes.add('key_not_allowed');
  } else {
    if (rule.naming === 'server' || !isKey(request.key)) codes.add('key_not_allowed');
    // A key that is too long has no other fault.
    if (byteLength(request.key) <= MAX_KEY_BYTES && request.key.slice(0, prefix.length) !== prefix)
      codes.add('key_outside_prefix');
  }

  const type = request.contentType.split(';')[0]?.trim().toLowerCase() ?? '';
  const [group] = type.split('/');
  const isCovered = rule.contentTypes.some((range) => {
    if (range.toLowerCase() === type) return true;
    return (range === '*/*' || range.toLowerCase() === `${group}/*`) && MEDIA_TYPES[type] === true;
  });
  if (!isCovered) codes.add('content_type_not_allowed');

  // One request carries 5 GiB. A multipart upload has at most 10,000 parts of this size.
  const inParts = request.transfer === 'multipart';
  const most = (inParts ? 10_000 : 1) * 5 * GIB;
  const limit = rule.maxSize === 'unlimited' || rule.maxSize > most ? most : rule.maxSize;
  const length = request.contentLength ?? (isForm ? request.maxContentLength : undefined);
  if (length === undefined) {
    if (rule.maxSize !== 'unlimited' || isForm || inParts) codes.add('length_required');
  } else if (length > limit) codes.add('too_large');

  const required = rule.metadata?.required ?? [];
  const allowed = [...(rule.metadata?.allowed ?? []), ...required];
  const sent = Object.keys(request.metadata);
  if (sent.some((name) => !allowed.includes(name))) codes.add('metadata_not_allowed');
  if (required.some((name) => !sent.includes(name))) codes.add('metadata_missing');

  for (const field of ['cacheControl', 'contentDisposition', 'contentEncoding'] as const) {
    if (request[field] !== undefined && !(rule.clientHeaders ?? []).includes(field))
      codes.add('header_not_allowed');
  }
  if (request.expiresIn !== undefined && request.expiresIn > expiry(rule).max) codes.add('expiry_too_long');
  if (request.overwrite && rule.overwrite !== true) codes.add('overwrite_not_allowed');
  return codes;
}

function expiry({ expiresIn = {} }: ModelRule): { readonly default: number; readonly max: number } {
  if (typeof expiresIn === 'number') return { default: expiresIn, max: expiresIn };
  const max = expiresIn.max ?? Math.max(3600, expiresIn.default ?? 0);
  return { default: expiresIn.default ?? Math.min(600, max), max };
}

function isKey(key: string): boolean {
  const bytes = byteLength(key);
  if (bytes < 1 || bytes > MAX_KEY_BYTES || key.normalize('NFC') !== key || key.includes('\\')) return false;
  if (
    [...key].some(
      (character) => character < ' ' || '\u007f\u0085\u2028\u2029\u200f\u202e\u2066'.includes(character),
    )
  )
    return false;
  return key.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..');
}
