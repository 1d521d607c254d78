import { readFileSync } from 'node:fs';

/** The version of the package, from the `package.json` that is beside `src` and `dist` alike. */
export function readPackageVersion(): string {
  return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version;
}
