import { chmodSync, chownSync, lstatSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Replaces the whole content of a file, or nothing of it. A reader sees the old file or the new
 * one. The new file has the mode of the old one, and its owner if this user may set it.
 * @throws Error with the system's code; `ENOENT` if there is no file, `ELOOP` for a symbolic link,
 *   and `EINVAL` for anything else that is not a file.
 */
export function replaceFile(path: string, text: string): void {
  const old = lstatSync(path);
  if (old.isSymbolicLink()) throw systemError(path, 'ELOOP');
  if (!old.isFile()) throw systemError(path, 'EINVAL');
  // In the same folder, because a file can be renamed only within one file system.
  const folder = mkdtempSync(join(dirname(path), '.oss-presign-'));
  try {
    const whole = join(folder, 'whole');
    writeFileSync(whole, text, { mode: 0o600, flush: true });
    keepOwner(whole, old);
    chmodSync(whole, old.mode & 0o777);
    renameSync(whole, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Only root may give a file to another user; others may set a group that they belong to. */
function keepOwner(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    chownSync(path, uid, gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
  }
}

function systemError(path: string, code: string): Error {
  return Object.assign(new Error(`${path} cannot be replaced`), { code });
}
