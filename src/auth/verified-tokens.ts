import { hash } from 'node:crypto';
import type { Caller } from './caller.ts';

/** What is known of a token that was verified. */
export type VerifiedToken<Issuer> = {
  readonly caller: Caller;
  /** Whose keys verified it. */
  readonly issuer: Issuer;
  /** What `KeySource.keySet` said before the keys were taken. With any other, nothing is proven. */
  readonly keySet: object;
};

/** Verified tokens, each by its {@link digestToken}. */
export type VerifiedTokens<Issuer> = {
  /**
   * Undefined where the token is not known, or not any more. Claims that held when it was kept hold for every instant from then
   * to `exp`, whatever their `nbf` and `iat`; at no other instant is it found.
   */
  find(digest: string, now: Date): VerifiedToken<Issuer> | undefined;
  /** Keeps a token, whose claims hold now, for at most five minutes, and not beyond its expiry. */
  keep(digest: string, token: VerifiedToken<Issuer>, expiresAt: Date, now: Date): void;
};

export type VerifiedTokensOptions = {
  /**
   * How many tokens are kept at most. One whose caller takes more than 2 KiB of memory counts as several, one for each 2 KiB:
   * all of them together take at most 2 KiB times this number, 40 MiB by default. Default 20,000.
   */
  readonly maxTokens?: number;
  /** How many of them one caller may hold. Default 1 % of `maxTokens`. */
  readonly maxTokensPerCaller?: number;
};

const MAX_AGE_MS = 300_000;

/** The memory of a token that counts as one. */
const BYTES_PER_TOKEN = 2048;

/** Of a token with no claims: its digest, and what stands for its caller and in the maps. */
const BASE_BYTES = 640;

type Kept<Issuer> = VerifiedToken<Issuer> & { readonly keptAt: number; readonly keptUntil: number };

type Generation<Issuer> = {
  readonly beganAt: number;
  readonly tokens: Map<string, Kept<Issuer>>;
  /** How many tokens they count as. */
  size: number;
  /** By caller, how many of the tokens are its own. */
  readonly held: Map<string, number>;
};

/** SHA-256 of the whole token: whoever is found by it has sent the same token, to the last character of the signature. */
export function digestToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

/**
 * Remembers who was proven by which token, so that a public-key operation is due once per token and not once per request.
 *
 * Only what was verified gets in, so that nobody without tokens can fill it. It is kept in two generations of half the size:
 * when the younger is full or five minutes old, the older is forgotten as a whole. That costs the same however many tokens
 * come. One caller with any number of valid tokens takes no more than its share of a generation; what is beyond is verified
 * each time, and pushes nobody out.
 */
export function createVerifiedTokens<Issuer>({
  maxTokens = 20_000,
  maxTokensPerCaller = Math.ceil(maxTokens / 100),
}: VerifiedTokensOptions = {}): VerifiedTokens<Issuer> {
  const maxPerGeneration = Math.floor(maxTokens / 2);
  const maxHeld = Math.max(1, Math.floor(maxTokensPerCaller / 2));
  let young = createGeneration<Issuer>(0);
  let old = young;

  return {
    find(digest, now) {
      const kept = young.tokens.get(digest) ?? old.tokens.get(digest);
      if (!kept) return undefined;
      const time = now.getTime();
      // Before it was kept, the clock has been set back, and nobody knows how long ago that was.
      return time >= kept.keptAt && time < kept.keptUntil ? kept : undefined;
    },
    keep(digest, token, expiresAt, now) {
      const time = now.getTime();
      const ageMs = time - young.beganAt;
      const { caller, issuer, keySet } = token;
      const size = Math.ceil((BASE_BYTES + heapBytes(caller)) / BYTES_PER_TOKEN);
      if (size > maxHeld) return;
      if (young.size + size > maxPerGeneration || ageMs >= MAX_AGE_MS || ageMs < 0) {
        old = young;
        young = createGeneration(time);
      }
      // The length tells where the one ends and the other begins.
      const holder = `${caller.issuer.length} ${caller.issuer}${caller.subject}`;
      const held = young.held.get(holder) ?? 0;
      if (!young.tokens.has(digest)) {
        if (held + size > maxHeld) return;
        young.held.set(holder, held + size);
        young.size += size;
      }
      young.tokens.set(digest, {
        caller,
        issuer,
        keySet,
        keptAt: time,
        keptUntil: Math.min(expiresAt.getTime(), time + maxAgeMs(digest)),
      });
    },
  };
}

/**
 * At least as many bytes as a value of parsed JSON takes in V8's heap: a rough sum that errs upwards. Works without recursion,
 * because a caller decides how deep its claims are nested.
 */
function heapBytes(value: unknown): number {
  let bytes = 0;
  const rest: unknown[] = [value];
  while (rest.length > 0) {
    const one = rest.pop();
    if (typeof one === 'string') bytes += 24 + Buffer.byteLength(one);
    else if (Array.isArray(one)) {
      bytes += 48 + 12 * one.length;
      for (const entry of one) rest.push(entry);
    } else if (typeof one === 'object' && one !== null) {
      bytes += 96;
      for (const [name, member] of Object.entries(one)) {
        bytes += 72 + Buffer.byteLength(name);
        rest.push(member);
      }
    } else bytes += 16;
  }
  return bytes;
}

/** From two thirds of the time to all of it, by chance of the digest: what came together is not due again together. */
function maxAgeMs(digest: string): number {
  return (MAX_AGE_MS * (128 + digest.charCodeAt(0))) / 256;
}

function createGeneration<Issuer>(beganAt: number): Generation<Issuer> {
  return { beganAt, tokens: new Map(), size: 0, held: new Map() };
}
