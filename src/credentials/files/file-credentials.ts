import type { Clock } from '../../clock.ts';
import type { SecretParts } from '../credentials-config.ts';
import type { CredentialsLog, ManagedCredentials } from '../managed-credentials.ts';
import { readSecretFiles, type SecretFilesReading } from './read-secret-files.ts';

/** How long files must stay unchanged after all of them were replaced one by one. */
const SETTLE_MS = 1_000;

/** How long if only some were replaced, because the others may follow. */
const PARTIAL_SETTLE_MS = 60_000;

/**
 * Credentials from files that are replaced while the process lives, looked at with each `keepFresh`.
 *
 * Files that change together, because a symlink to their directory is swapped, count at once and are never mixed. Files
 * that are replaced one by one count when all of them are new and have stood still for a second; with only some new, the
 * value in use stays for a minute. Beyond that nobody can tell a half from a whole: then what stands in the files counts.
 * While the files cannot be read or hold no secret, the value in use stays.
 * @throws Error when there is no value to begin with; its message may be shown to operators.
 */
export async function createFileCredentials(
  parts: SecretParts,
  { clock, log }: { readonly clock: Clock; readonly log: CredentialsLog },
): Promise<ManagedCredentials> {
  const first = await readSecretFiles(parts);
  if ('fault' in first) throw new Error(`${first.fault}.`);
  let inUse: SecretFilesReading = first;
  let settling: { readonly fingerprint: string; readonly since: Date } | undefined;
  let problem: string | undefined;
  let polling: Promise<void> | undefined;

  async function poll(): Promise<void> {
    const read = await readSecretFiles(parts);
    if ('fault' in read) return report(read.fault);
    const replaced = replacedVariables(parts, inUse, read);
    if (replaced.length === 0) {
      inUse = read;
      return report(undefined);
    }
    const isWhole = replaced.length === variablesOf(parts).length;
    if (isSwap(inUse, read) || hasSettled(read, isWhole ? SETTLE_MS : PARTIAL_SETTLE_MS)) {
      inUse = read;
      problem = undefined;
      settling = undefined;
      log.info({ credentialsSource: 'files' }, 'the cloud credentials were replaced');
    } else if (!isWhole) {
      report(`only ${replaced.join(' and ')} has a new value; the rest is awaited`);
    }
  }

  function hasSettled({ fingerprint }: SecretFilesReading, settleMs: number): boolean {
    const now = clock();
    if (settling?.fingerprint !== fingerprint || now < settling.since) settling = { fingerprint, since: now };
    return now.getTime() - settling.since.getTime() >= settleMs;
  }

  function report(next: string | undefined): void {
    if (next !== undefined && next !== problem) {
      log.warn(
        { credentialsSource: 'files', reason: next },
        'replaced cloud credentials cannot be used; the old ones stay in use',
      );
    }
    problem = next;
  }

  return {
    get: () => Promise.resolve(inUse.credentials),
    describe: () => ({
      ok: true,
      detail: `files${parts.securityToken ? ', with a session token' : ''}${problem ? `; old value in use: ${problem}` : ''}`,
    }),
    expiresAt: () => undefined,
    keepFresh: () => {
      polling ??= poll().finally(() => {
        polling = undefined;
      });
      return polling;
    },
  };
}

/** Whether all files have moved together from one directory to another. */
function isSwap(before: SecretFilesReading, after: SecretFilesReading): boolean {
  const [directory, ...others] = after.directories;
  return directory !== undefined && others.length === 0 && !before.directories.has(directory);
}

function replacedVariables(
  parts: SecretParts,
  before: SecretFilesReading,
  after: SecretFilesReading,
): readonly string[] {
  return variablesOf(parts)
    .filter(([name]) => before.credentials[name] !== after.credentials[name])
    .map(([, variable]) => variable);
}

function variablesOf(parts: SecretParts): readonly (readonly [keyof SecretParts, string])[] {
  return (Object.entries(parts) as [keyof SecretParts, SecretParts['accessKeyId']][]).flatMap(
    ([name, part]) => ('file' in part ? [[name, part.variable] as const] : []),
  );
}
