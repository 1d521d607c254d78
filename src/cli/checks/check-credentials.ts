import type { Clock } from '../../clock.ts';
import { type CredentialsSource, MIN_CREDENTIALS_SECONDS } from '../../grants/ports/credentials-source.ts';
import type { ReadinessCheck } from '../../health/check.ts';

/**
 * Checks whether credentials are available that can sign now. Only an upload shows whether they may
 * write.
 * @param create rejects with an Error whose message may be shown.
 */
export async function checkCredentials(
  create: () => Promise<CredentialsSource>,
  clock: Clock,
): Promise<ReadinessCheck> {
  const name = 'credentials';
  let source: CredentialsSource;
  try {
    source = await create();
  } catch (error) {
    return {
      name,
      ok: false,
      detail: error instanceof Error ? error.message : 'the credentials cannot be set up',
    };
  }
  try {
    const { expiresAt } = await source.get();
    const secondsLeft = expiresAt && Math.floor((expiresAt.getTime() - clock().getTime()) / 1000);
    if (secondsLeft !== undefined && secondsLeft < MIN_CREDENTIALS_SECONDS)
      return { name, ok: false, detail: `the credentials expire in ${secondsLeft} s` };
    return { name, ok: true, detail: source.describe().detail };
  } catch {
    // The error may contain a server's response; the source's own description has no secret.
    return { name, ok: false, detail: `no credentials from ${source.describe().detail}` };
  }
}
