import process from 'node:process';
import packageJson from '../../package.json' with { type: 'json' };

const flags = packageJson.scripts.start.split(' ').filter((word) => word.startsWith('--'));

/**
 * The command of `npm start` with its flags, for any folder, without npm and without `.env`. The
 * image runs the same.
 */
export const START_COMMAND: readonly [file: string, ...args: string[]] = [
  process.execPath,
  ...flags,
  new URL('../../src/main.ts', import.meta.url).pathname,
];
