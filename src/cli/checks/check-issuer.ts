import type { IssuerConfig } from '../../auth/issuer.ts';
import { createKeySources } from '../../auth/keys/create-key-sources.ts';
import { describeKeys } from '../../auth/keys/key-source.ts';
import type { Clock } from '../../clock.ts';
import type { ReadinessCheck } from '../../health/check.ts';

/**
 * Checks whether the keys of an issuer can be loaded, in the same way as the service loads them.
 */
export async function checkIssuer(
  config: IssuerConfig,
  fetch: typeof globalThis.fetch,
  clock: Clock,
): Promise<ReadinessCheck> {
  const keys = createKeySources({ clock, fetch })(config);
  await keys.load();
  const status = keys.status();
  return { name: 'issuer keys', ok: status.keysLoaded, detail: `${config.issuer} ${describeKeys(status)}` };
}
