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
  /** Keeps a token, whose claims hold now, for at most five minutes, and not beyond its `exp`. */
  keep(digest: string, token: VerifiedToken<Issuer>, now: Date): void;
};

export type VerifiedTokensOptions = {
  /** How many tokens are kept at most; 0.7 kB each with ten claims, some 10 kB with all that fit. Default 20,000. */
  readonly maxTokens?: number;
  /** How many of them one caller may hold. Default 1 % of `maxTokens`. */
  readonly maxTokensPerCaller?: number;
};

const MAX_AGE_MS = 300_000;

type Kept<Issuer> = VerifiedToken<Issuer> & { readonly keptAt: number; readonly keptUntil: number };

type Generation<Issuer> = {
  readonly beganAt: number;
  readonly tokens: Map<string, Kept<Issuer>>;
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
    keep(digest, token, now) {
      const time = now.getTime();
      const ageMs = time - young.beganAt;
      if (young.tokens.size >= maxPerGeneration || ageMs >= MAX_AGE_MS || ageMs < 0) {
        old = young;
        young = createGeneration(time);
      }
      const { caller, issuer, keySet } = token;
      // The length tells where the one ends and the other begins.
      const holder = `${caller.issuer.length} ${caller.issuer}${caller.subject}`;
      const held = young.held.get(holder) ?? 0;
      if (!young.tokens.has(digest)) {
        if (held >= maxHeld) return;
        young.held.set(holder, held + 1);
      }
      const expiresAt = Number(caller.claims.exp) * 1000;
      young.tokens.set(digest, {
        caller,
        issuer,
        keySet,
        keptAt: time,
        keptUntil: Math.min(expiresAt, time + maxAgeMs(digest)),
      });
    },
  };
}

/** From two thirds of the time to all of it, by chance of the digest: what came together is not due again together. */
function maxAgeMs(digest: string): number {
  return (MAX_AGE_MS * (128 + digest.charCodeAt(0))) / 256;
}

function createGeneration<Issuer>(beganAt: number): Generation<Issuer> {
  return { beganAt, tokens: new Map(), held: new Map() };
}
