import { parseArgs } from 'node:util';
import { CONTENDERS, type ContenderName, PARTS, type PartName } from './contenders.ts';

export type BenchOptions = {
  readonly check: boolean;
  readonly help: boolean;
  /** How often everything is measured. */
  readonly rounds: number;
  /** How long each load lasts in each round. */
  readonly seconds: number;
  /** What to measure; all of it when empty. */
  readonly only: readonly (ContenderName | PartName)[];
};

const NAMES = [...Object.keys(CONTENDERS), ...PARTS] as readonly (ContenderName | PartName)[];

export const HELP = `Measures the service beside bare Fastify and its peers, on this machine, in interleaved rounds.

  npm run bench                     all of it, seven to ten minutes; writes bench/results.md
  npm run bench -- --check          ratios alone, without Go, under two minutes; exit 1 below a floor of bench/floor.json
  npm run bench -- --only signing   a part of it; may stand several times

  --rounds N     how often everything is measured (5; with --check 3)
  --seconds N    how long each load lasts in each round (2; with --check 1)
  --only NAME    ${NAMES.slice(0, 6).join(', ')},
                 ${NAMES.slice(6).join(', ')}; "fastify" is what all are compared with and always runs
  --check        compare with the floors, write no file
  --help         this text

The Go peer needs Go 1.24 on the PATH and the Go module proxy, "valkey" needs redis-server or valkey-server. What is
missing is left out, and the report says so. Pinning processes to cores needs taskset (Linux) and two cores.
`;

/**
 * Reads the command line's arguments.
 * @throws TypeError with a sentence for the person who typed them.
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
