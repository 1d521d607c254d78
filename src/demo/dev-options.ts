import { parseArgs } from 'node:util';
import { didYouMean } from '../text/suggest.ts';
import type { DemoPorts } from './demo-environment.ts';

export const DEV_USAGE = `Usage: npm run dev -- [--policy FILE] [--port N] [--issuer-port N] [--emulator-port N]

  --policy FILE       your own policy instead of src/demo/policy.yaml; reloaded when it changes
  --port N            port of the service, default 8080; the issuer gets N+1 and the emulator N+2. 0: free ports
  --issuer-port N     port of the demo issuer, default 8090
  --emulator-port N   port of the OSS emulator, default 9000
`;

/** Whether the arguments request the usage. */
export function asksForUsage(args: readonly string[]): boolean {
  return args.some((argument) => ['--help', '-h', 'help'].includes(argument));
}

export type DevOptions = { readonly policyFile: string | undefined; readonly ports: DemoPorts };

const OPTIONS = ['policy', 'port', 'issuer-port', 'emulator-port'] as const;

/**
 * Reads the arguments of `npm run dev`.
 * @returns the options, or every fault, one sentence each.
 */
export function readDevOptions(args: readonly string[]): DevOptions | { readonly faults: readonly string[] } {
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(OPTIONS.map((name) => [name, { type: 'string' as const }])),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const faults: string[] = [];
  const given: Partial<Record<string, string>> = {};
  for (const token of tokens) {
    if (token.kind === 'positional') faults.push(`unexpected argument ${JSON.stringify(token.value)}.`);
    if (token.kind !== 'option') continue;
    const known = OPTIONS.map((name) => `--${name}`);
    if (!known.includes(`--${token.name}`))
      faults.push(`unknown option ${JSON.stringify(token.rawName)}.${didYouMean(token.rawName, known)}`);
    else if (!token.value) faults.push(`${token.rawName} needs a value.`);
    else given[token.name] = token.value;
  }
  const portOf = (name: (typeof OPTIONS)[number], byDefault: number): number => {
    const text = given[name];
    if (text === undefined) return byDefault;
    if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
    faults.push(`--${name} must be a whole number from 0 to 65535.`);
    return byDefault;
  };
  const service = portOf('port', 8080);
  const isDerived = given.port !== undefined && service !== 0;
  const other = (byDefault: number, offset: number) =>
    isDerived ? service + offset : given.port === undefined ? byDefault : 0;
  const ports = {
    service,
    issuer: portOf('issuer-port', other(8090, 1)),
    emulator: portOf('emulator-port', other(9000, 2)),
  };
  if (Math.max(...Object.values(ports)) > 65_535)
    faults.push('--port must be at most 65533, or --issuer-port and --emulator-port must be given too.');
  return faults.length > 0 ? { faults } : { policyFile: given.policy, ports };
}
