import { hash } from 'node:crypto';
import { createGenerationalMap } from '../generational-map.ts';
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

/** SHA-256 of the whole token: whoever is found by it has sent the same token, to the last character of the signature. */
export function digestToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

/**
 * Remembers who was proven by which token, so that a public-key operation is due once per token and not once per request.
 *
 * Only verified tokens are added, so a caller without valid tokens cannot fill it. A new generation
 * begins when the current one is full or five minutes old. One caller, with any number of valid
 * tokens, takes at most its share of a generation: further tokens are verified each time and do not
 * displace those of others.
 */
export function createVerifiedTokens<Issuer>({
  maxTokens = 20_000,
  maxTokensPerCaller = Math.ceil(maxTokens / 100),
}: VerifiedTokensOptions = {}): VerifiedTokens<Issuer> {
  const maxOwned = Math.max(1, Math.floor(maxTokensPerCaller / 2));
  const tokens = createGenerationalMap<Kept<Issuer>>(maxTokens);
  /** How many tokens of the current generation belong to a caller. */
  let ownedCount = new Map<string, number>();
  let generationBeganAt = 0;

  return {
    find(digest, now) {
      const kept = tokens.get(digest);
      if (!kept) return undefined;
      const time = now.getTime();
      // Before it was kept, the clock has been set back, and nobody knows how long ago that was.
      return time >= kept.keptAt && time < kept.keptUntil ? kept : undefined;
    },
    keep(digest, token, expiresAt, now) {
      const time = now.getTime();
      const ageMs = time - generationBeganAt;
      const { caller, issuer, keySet } = token;
      const size = Math.ceil((BASE_BYTES + heapBytes(caller)) / BYTES_PER_TOKEN);
      if (size > maxOwned) return;
      if (!tokens.hasRoomFor(size) || ageMs >= MAX_AGE_MS || ageMs < 0) {
        tokens.startGeneration();
        ownedCount = new Map();
        generationBeganAt = time;
      }
      // The length of the issuer makes the text unambiguous.
      const owner = `${caller.issuer.length} ${caller.issuer}${caller.subject}`;
      const owned = ownedCount.get(owner) ?? 0;
      if (!tokens.isCurrent(digest)) {
        if (owned + size > maxOwned) return;
        ownedCount.set(owner, owned + size);
      }
      const keptUntil = Math.min(expiresAt.getTime(), time + maxAgeMs(digest));
      tokens.set(digest, { caller, issuer, keySet, keptAt: time, keptUntil }, size);
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
