import type { ServiceKey, ServiceKeys } from '../grants/ports/service-keys.ts';
import { isKeyPair, isScalar, type PrivateJwk, toServiceKey } from './service-key.ts';

/** The largest file that is parsed, in UTF-16 code units: twenty times the most keys. */
const MAX_FILE_LENGTH = 64 * 1024;

/** A rotation needs two keys at a time. */
export const MAX_SERVICE_KEYS = 16;

/** Every upload id contains the `kid` of its key. A thumbprint (RFC 7638) has 43 characters. */
const MAX_KID_LENGTH = 64;
const KID = /^[!-~]+$/;

type Json = Readonly<Record<string, unknown>>;

/** A fault: the rest of a sentence that begins with the file. Contains no part of a key. */
type Fault = string;

/**
 * Parses a JWK set of P-256 private keys (RFC 7517 5). The first key signs, and all of them verify.
 * Other members of the set and of its keys are ignored.
 * @returns the keys, or every fault, without any part of a key.
 */
export function parseServiceKeys(
  text: string,
): { readonly keys: ServiceKeys } | { readonly faults: readonly Fault[] } {
  const entries = entriesOf(text);
  if ('fault' in entries) return { faults: [entries.fault] };
  const faults: Fault[] = [];
  const found: { readonly kid: string; readonly jwk: PrivateJwk }[] = [];
  for (const [index, entry] of entries.list.entries()) {
    const name = `keys[${index}]`;
    const parsed = parseKey(entry, name);
    if ('faults' in parsed) faults.push(...parsed.faults);
    else found.push(parsed);
  }
  faults.push(
    ...repetitions(entries.list, 'kid').map(
      ([first, again]) => `keys[${again}].kid is that of keys[${first}]; give each key another one`,
    ),
    ...repetitions(entries.list, 'd').map(
      ([first, again]) => `keys[${again}] is the same key as keys[${first}]; remove one of them`,
    ),
  );
  if (faults.length > 0) return { faults };
  return { keys: toServiceKeys(found) };
}

/**
 * Makes service keys of private keys that have been checked.
 * @param keys at least one; the first one signs.
 */
export function toServiceKeys(
  keys: readonly { readonly kid: string; readonly jwk: PrivateJwk }[],
): ServiceKeys {
  const byKid = new Map<string, ServiceKey>(keys.map(({ kid, jwk }) => [kid, toServiceKey(kid, jwk)]));
  const [signing] = byKid.values();
  if (!signing) throw new TypeError('there is no service key');
  return Object.freeze({
    signing,
    find: (kid: string) => byKid.get(kid),
    jwks: {
      keys: keys.map(({ kid, jwk: { kty, crv, x, y } }) => ({
        kty,
        crv,
        x,
        y,
        kid,
        use: 'sig',
        alg: 'ES256',
      })),
    },
  });
}

function entriesOf(text: string): { readonly list: readonly unknown[] } | { readonly fault: Fault } {
  if (text.length > MAX_FILE_LENGTH) return { fault: `is larger than ${MAX_FILE_LENGTH / 1024} KiB` };
  let set: unknown;
  try {
    set = JSON.parse(text);
  } catch {
    // The error of the parser quotes the text, which may be a key.
    return { fault: `is not JSON; ${CREATE_ONE}` };
  }
  if (!isObject(set)) return { fault: `must be a JWK set, {"keys": […]}; ${CREATE_ONE}` };
  const { keys } = set;
  if (keys === undefined && set.kty !== undefined)
    return { fault: 'is a single key; write it into a JWK set, {"keys": […]}' };
  if (!Array.isArray(keys)) return { fault: `must be a JWK set, {"keys": […]}; ${CREATE_ONE}` };
  if (keys.length === 0) return { fault: `holds no key; ${CREATE_ONE}` };
  if (keys.length > MAX_SERVICE_KEYS)
    return {
      fault: `holds ${keys.length} keys; at most ${MAX_SERVICE_KEYS} are allowed, so remove those that no upload id needs`,
    };
  return { list: keys };
}

const CREATE_ONE = 'create it with oss-presign keygen';

function parseKey(
  entry: unknown,
  name: string,
): { readonly kid: string; readonly jwk: PrivateJwk } | { readonly faults: readonly Fault[] } {
  if (!isObject(entry)) return { faults: [`${name} must be a JWK, which is an object`] };
  const { kty, crv, x, y, d, kid } = entry;
  const faults: Fault[] = [];
  if (typeof kid !== 'string' || kid === '') faults.push(`${name}.kid is missing; give each key another one`);
  else if (kid.length > MAX_KID_LENGTH)
    faults.push(`${name}.kid must have at most ${MAX_KID_LENGTH} characters`);
  else if (!KID.test(kid)) faults.push(`${name}.kid must be ASCII without blanks`);
  if (kty !== 'EC' || crv !== 'P-256') {
    faults.push(
      `${name} must be a key of the curve P-256 ("kty": "EC", "crv": "P-256"); ${kty === 'EC' ? 'other curves' : 'RSA and other kinds'} cannot be used`,
    );
    return { faults };
  }
  faults.push(...useFaults(entry, name));
  if (d === undefined) {
    faults.push(`${name} has no private key (d); /.well-known/jwks.json has public keys, which cannot sign`);
  } else if (![x, y, d].every((part) => typeof part === 'string' && isScalar(part))) {
    faults.push(`${name} must have x, y and d, each as base64url of 32 bytes, without "="`);
  } else {
    const jwk = { kty, crv, x, y, d } as PrivateJwk;
    if (!isKeyPair(jwk)) faults.push(`${name} is damaged: x and y are not the public key of d`);
    if (faults.length === 0) return { kid: kid as string, jwk };
  }
  return { faults };
}

/** The faults of the members that restrict a key (RFC 7517 4.2 to 4.4). Each may be missing. */
function useFaults({ use, alg, key_ops: operations }: Json, name: string): readonly Fault[] {
  const faults: Fault[] = [];
  if (use !== undefined && use !== 'sig') faults.push(`${name}.use must be "sig", or left out`);
  if (alg !== undefined && alg !== 'ES256') faults.push(`${name}.alg must be "ES256", or left out`);
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('sign')))
    faults.push(`${name}.key_ops must be a list with "sign", or left out`);
  return faults;
}

/** The first entry and each later entry with the same text as `member`, by their indexes. */
function repetitions(entries: readonly unknown[], member: string): readonly (readonly [number, number])[] {
  const seen = new Map<string, number>();
  return entries.flatMap((entry, index) => {
    const value = isObject(entry) ? entry[member] : undefined;
    if (typeof value !== 'string') return [];
    const first = seen.get(value);
    if (first === undefined) seen.set(value, index);
    return first === undefined ? [] : [[first, index] as const];
  });
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
