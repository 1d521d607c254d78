import { readFileSync } from 'node:fs';

/** The version of the package, from the `package.json` next to `src` and `dist`. */
export function readPackageVersion(): string {
  return JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version;
}
