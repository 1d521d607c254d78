import { constants, copyFileSync, linkSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { systemErrorCode } from '../text/system-error.ts';

/** The codes of file systems that have no hard links: FAT, and some mounted folders. */
const NO_LINKS: ReadonlySet<string | undefined> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Writes a whole file or nothing. Never replaces a file, not even one that another process creates
 * at the same time, nor a symbolic link: a mistyped name must not destroy a policy or a key.
 * @param mode who may read and write it; by default what the user's mask allows.
 * @throws Error with the system's code; `EEXIST` if the file exists.
 */
export function writeNewFile(path: string, text: string, mode?: number): void {
  // In the same folder, because a file can be linked only within one file system.
  const folder = mkdtempSync(join(dirname(path), '.oss-presign-'));
  try {
    const whole = join(folder, 'whole');
    writeFileSync(whole, text, { mode });
    addName(whole, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Unlike a rename, both calls fail if the name is taken. */
function addName(file: string, path: string): void {
  try {
    linkSync(file, path);
  } catch (error) {
    if (!NO_LINKS.has(systemErrorCode(error))) throw error;
    copyFileSync(file, path, constants.COPYFILE_EXCL);
  }
}
