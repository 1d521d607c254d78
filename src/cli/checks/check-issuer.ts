import type { IssuerConfig } from '../../auth/issuer.ts';
import { createKeySources } from '../../auth/keys/create-key-sources.ts';
import type { Clock } from '../../clock.ts';
import type { ReadinessCheck } from '../../http/health-routes.ts';
import type { WatchedFetch } from './watched-fetch.ts';

/** Whether the keys of an issuer can be had, in the very way in which the service gets them. */
export async function checkIssuer(
  config: IssuerConfig,
  { fetch, failureCode }: WatchedFetch,
  clock: Clock,
): Promise<ReadinessCheck> {
  const keys = createKeySources({ clock, fetch })(config);
  await keys.load();
  const { keysLoaded, lastError } = keys.status();
  const reason = lastError?.replace(/\.$/, '');
  const code = failureCode();
  return {
    name: 'issuer keys',
    ok: keysLoaded,
    detail: keysLoaded
      ? `${config.issuer} loaded`
      : `${config.issuer} not loaded: ${reason}${code ? ` (${code})` : ''}`,
  };
}
