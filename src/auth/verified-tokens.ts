import { hash } from 'node:crypto';
import { createGenerationalMap } from '../generational-map.ts';
import type { Caller } from './caller.ts';

/** The cached result of verifying a token. */
export type VerifiedToken<Issuer> = {
  readonly caller: Caller;
  /** The issuer whose keys verified it. */
  readonly issuer: Issuer;
  /** The issuer's `KeySource.keySet` before verification; the entry is valid for it only. */
  readonly keySet: object;
};

/** A cache of verified tokens by their {@link digestToken}. */
export type VerifiedTokens<Issuer> = {
  /**
   * Returns undefined if the token is not cached or not valid now. Claims that were valid when the
   * token was cached stay valid until `exp`, because `nbf` and `iat` were already in the past.
   */
  find(digest: string, now: Date): VerifiedToken<Issuer> | undefined;
  /** Caches a token that is valid now, for at most five minutes and not beyond its expiry. */
  keep(digest: string, token: VerifiedToken<Issuer>, expiresAt: Date, now: Date): void;
};

export type VerifiedTokensOptions = {
  /**
   * How many tokens are cached at most. A token whose entry takes more than 2 KiB of memory counts
   * once for each 2 KiB, so the cache takes at most 2 KiB times this number: 40 MiB by default.
   * Default 20,000.
   */
  readonly maxTokens?: number;
  /** How many cached tokens one caller may have. Default 1 % of `maxTokens`. */
  readonly maxTokensPerCaller?: number;
};

const MAX_AGE_MS = 300_000;

/** The memory that counts as one token. */
const BYTES_PER_TOKEN = 2048;

/** The memory of a token without claims: its digest, its caller and its map entries. */
const BASE_BYTES = 640;

type Kept<Issuer> = VerifiedToken<Issuer> & { readonly keptAt: number; readonly keptUntil: number };

/** SHA-256 of the whole token, signature included: only the same token has the same digest. */
export function digestToken(token: string): string {
  return hash('sha256', token, 'base64url');
}

/**
 * Caches the caller of each verified token, so that a signature is verified once per token.
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
      // `time < keptAt` means that the clock was set back: treat it as a miss.
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
 * Returns an upper estimate of the bytes that a value of parsed JSON takes in V8's heap.
 *
 * Works without recursion, because a caller decides how deep its claims are nested.
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

/** Two thirds to all of the maximum, by the digest: tokens cached together expire apart. */
function maxAgeMs(digest: string): number {
  return (MAX_AGE_MS * (128 + digest.charCodeAt(0))) / 256;
}
