import process from 'node:process';
import packageJson from '../../package.json' with { type: 'json' };

const flags = packageJson.scripts.start.split(' ').filter((word) => word.startsWith('--'));

/** What `npm start` runs, flags and all, from any folder, without npm and without reading `.env`; the image does the same. */
export const START_COMMAND: readonly [file: string, ...args: string[]] = [
  process.execPath,
  ...flags,
  new URL('../../src/main.ts', import.meta.url).pathname,
];
