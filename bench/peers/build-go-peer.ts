import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/**
 * Builds the Go peer outside the checkout.
 * @returns the path of the program, or why it could not be built.
 */
export async function buildGoPeer(folder: string): Promise<{ path: string } | { missing: string }> {
  const path = join(folder, 'go-peer');
  try {
    await promisify(execFile)('go', ['build', '-o', path, '.'], { cwd: join(import.meta.dirname, 'go') });
    return { path };
  } catch (error) {
    const { code, stderr = '' } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    if (code === 'ENOENT') return { missing: 'Go is not on the PATH' };
    return { missing: `go build failed: ${stderr.trim().split('\n').at(-1)}` };
  }
}
