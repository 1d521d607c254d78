import type { IssuerConfig } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import type { Clock } from '../../src/clock.ts';
import { now } from '../support/fixed-clock.ts';

/** A verifier with the real fetch and a short time-out, with defaults for everything else. */
export function onlineVerifier(
  issuers: readonly IssuerConfig[],
  clock: Clock = () => now,
  timeoutMs = 2_000,
): TokenVerifier {
  return createTokenVerifier({ issuers, clock, keySources: createKeySources({ clock, fetch, timeoutMs }) });
}
