import type { Clock } from '../../clock.ts';
import type { SecretParts } from '../credentials-config.ts';
import type { CredentialsLog, ManagedCredentials } from '../managed-credentials.ts';
import { readSecretFiles, type SecretFilesReading } from './read-secret-files.ts';

/** How long files that were replaced one by one must stay unchanged before they apply. */
const SETTLE_MS = 1_000;

/** The same if only some files were replaced. Longer, because the others may follow. */
const PARTIAL_SETTLE_MS = 60_000;

/**
 * Creates a source that follows files which are replaced at run time. `keepFresh` reads them.
 *
 * - If a symlink to their directory is swapped, all files change together. They apply at once and
 *   are never mixed.
 * - If files are replaced one by one, they apply once all are new and unchanged for 1 s.
 * - If only some are new, the current value stays in use for 60 s. After that, a partial change is
 *   taken as intended.
 * - If a file cannot be read or holds no valid secret, the current value stays in use.
 * @throws Error if the first read fails. The message is safe to show to operators.
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
      report(`only ${replaced.join(' and ')} has a new value; waiting for the rest`);
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

/** Whether all files are now in one other directory, which was not in use before. */
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
