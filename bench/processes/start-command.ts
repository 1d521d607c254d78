import process from 'node:process';
import packageJson from '../../package.json' with { type: 'json' };

const [, ...flags] = packageJson.scripts.start.split(' ');
const main = flags.pop();

/** What `npm start` runs, flags and all, from any folder and without npm; the image does the same. */
export const START_COMMAND: readonly [file: string, ...args: string[]] = [
  process.execPath,
  ...flags,
  new URL(`../../${main}`, import.meta.url).pathname,
];
