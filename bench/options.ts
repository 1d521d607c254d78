import { parseArgs } from 'node:util';
import { CONTENDERS, type ContenderName, PARTS, type PartName } from './contenders.ts';

export type BenchOptions = {
  readonly check: boolean;
  readonly help: boolean;
  /** The number of rounds. */
  readonly rounds: number;
  /** The duration of each load in each round. */
  readonly seconds: number;
  /** The servers and parts to measure; everything if empty. */
  readonly only: readonly (ContenderName | PartName)[];
};

const NAMES = [...Object.keys(CONTENDERS), ...PARTS] as readonly (ContenderName | PartName)[];

export const HELP = `Measures the service, bare Fastify and the peers on this machine, in interleaved rounds.

  npm run bench                     everything, 7 to 10 minutes; writes bench/results.md
  npm run bench -- --check          only the ratios, without Go, under 2 minutes; exits with 1 below a floor of bench/floor.json
  npm run bench -- --only signing   a part of it; may be given several times

  --rounds N     number of rounds (5; with --check 3)
  --seconds N    duration of each load in each round (2; with --check 1)
  --only NAME    ${NAMES.slice(0, 6).join(', ')},
                 ${NAMES.slice(6).join(', ')}; "fastify" always runs, because all others are compared with it
  --check        compares with the floors and writes no file
  --help         this text

The Go peer needs Go 1.24 on the PATH and the Go module proxy, "valkey" needs redis-server or valkey-server. The report
names what was left out because it is missing. Pinning processes to cores needs taskset (Linux) and two cores.
`;

/**
 * Reads the arguments of the command line.
 * @throws TypeError with a message for the user.
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      check: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      only: { type: 'string', multiple: true, default: [] },
    },
  });
  const only = values.only.map((name) => {
    const known = NAMES.find((one) => one === name);
    if (!known) throw new TypeError(`--only must be one of ${NAMES.join(', ')}, not ${name}`);
    return known;
  });
  const { check, help } = values;
  if (check && only.length > 0) throw new TypeError('--check compares all ratios, --only measures a part');
  return {
    check,
    help,
    rounds: quantity('--rounds', values.rounds ?? (check ? '3' : '5'), /^[1-9]\d?$/),
    seconds: quantity('--seconds', values.seconds ?? (check ? '1' : '2'), /^(?=.*[1-9])\d{1,3}(\.\d+)?$/),
    only,
  };
}

function quantity(option: string, text: string, form: RegExp): number {
  if (!form.test(text)) throw new TypeError(`${option} must be a number above 0, not ${text}`);
  return Number(text);
}
