import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Writes a whole file or nothing. Never replaces a file: a mistyped name must not destroy a policy
 * or a key.
 * @param mode who may read and write it; by default what the user's mask allows.
 * @throws Error with the system's code; `EEXIST` if the file exists.
 */
export function writeNewFile(path: string, text: string, mode?: number): void {
  if (existsSync(path)) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' });
  // In the same folder, because a file can be renamed only within one file system.
  const folder = mkdtempSync(join(dirname(path), '.oss-presign-'));
  try {
    const whole = join(folder, 'whole');
    writeFileSync(whole, text, { mode });
    renameSync(whole, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
