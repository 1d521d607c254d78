import type { Clock } from '../../clock.ts';
import type { ReadinessCheck } from '../../http/health-routes.ts';
import type { CredentialsSource } from '../../uploads/credentials-source.ts';

/** Under this the service signs nothing any more. */
const MIN_SECONDS = 30;

/** Whether there are credentials that can sign now. Whether OSS lets them write, only an upload shows. */
export async function checkCredentials(source: CredentialsSource, clock: Clock): Promise<ReadinessCheck> {
  const name = 'credentials';
  try {
    const { expiresAt } = await source.get();
    const secondsLeft = expiresAt && Math.floor((expiresAt.getTime() - clock().getTime()) / 1000);
    if (secondsLeft !== undefined && secondsLeft < MIN_SECONDS)
      return { name, ok: false, detail: `they end in ${secondsLeft} s` };
    return { name, ok: true, detail: source.describe().detail };
  } catch {
    // The error may hold what a server answered; what the source says of itself holds no secret.
    return { name, ok: false, detail: `they cannot be had: ${source.describe().detail}` };
  }
}
