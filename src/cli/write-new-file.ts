import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * Writes a whole file or nothing. It never replaces a file: a mistyped name must not cost a policy or a key.
 * @throws Error with the system's code; `EEXIST` when there is something of that name.
 */
export function writeNewFile(path: string, text: string): void {
  if (existsSync(path)) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' });
  // In the same folder, because a file can be renamed within one file system only.
  const folder = mkdtempSync(join(dirname(path), '.oss-presign-'));
  try {
    const whole = join(folder, 'whole');
    writeFileSync(whole, text);
    renameSync(whole, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
