import { parseArgs } from 'node:util';
import type { Environment } from '../config/environment.ts';
import { didYouMean } from '../text/suggest.ts';
import { CannotRun, type CliContext, type Command, type OptionValues } from './command.ts';
import { bucketCorsCommand } from './commands/bucket-cors.ts';
import { checkCommand } from './commands/check.ts';
import { decideCommand } from './commands/decide.ts';
import { keygenCommand } from './commands/keygen.ts';
import { lifecycleCommand } from './commands/lifecycle.ts';
import { ramPolicyCommand } from './commands/ram-policy.ts';
import { startCommand } from './commands/start.ts';
import { ENV_FILE, readEnvFile } from './env-file.ts';
import { renderHelp, renderOverview } from './help.ts';

const COMMANDS: readonly Command[] = [
  startCommand,
  checkCommand,
  ramPolicyCommand,
  bucketCorsCommand,
  lifecycleCommand,
  decideCommand,
  keygenCommand,
];

const CANNOT_RUN = 2;

/**
 * Runs one command line.
 * @param argv the arguments after the program's name.
 * @returns the exit code, or undefined if the service now runs in this process.
 */
export async function run(argv: readonly string[], context: CliContext): Promise<number | undefined> {
  const [name, ...rest] = argv;
  if (name === '--version') {
    context.write('stdout', `${context.version}\n`);
    return 0;
  }
  const isHelp = name === 'help' || name === '--help' || name === '-h';
  const commandName = isHelp ? rest[0] : name;
  if (isHelp && commandName === undefined) {
    context.write('stdout', renderOverview(COMMANDS));
    return 0;
  }
  const command = COMMANDS.find((one) => one.name === commandName);
  if (!command) {
    context.write('stderr', `error: ${commandFault(commandName)}\n\n${renderOverview(COMMANDS)}`);
    return CANNOT_RUN;
  }
  try {
    const options = isHelp ? 'help' : readOptions(command, rest);
    if (options !== 'help')
      return await command.run(options, { ...context, env: environmentWithFile(context) });
    context.write('stdout', renderHelp(command));
    return 0;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    const lines = error.faults.map((fault) => `error: ${fault}\n`);
    context.write('stderr', `${lines.join('')}See: oss-presign ${command.name} --help\n`);
    return CANNOT_RUN;
  }
}

/**
 * The environment and the variables of `.env`. The names of those from the file are printed on
 * stderr.
 */
function environmentWithFile({ env, readFile, write }: CliContext): Environment {
  const read = readEnvFile(env, readFile);
  if ('fault' in read) throw new CannotRun(read.fault);
  if (read.names.length > 0) write('stderr', `note: read from ${ENV_FILE}: ${read.names.join(', ')}\n`);
  return read.env;
}

function commandFault(name: string | undefined): string {
  if (name === undefined) return 'expected a command.';
  if (name.startsWith('-')) return `expected a command, got ${quote(name)}.`;
  const names = COMMANDS.map((command) => command.name);
  return `unknown command ${quote(name)}.${didYouMean(name, names)}`;
}

/** An argument, cut to a length that keeps the message readable. */
function quote(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}

function readOptions({ options }: Command, args: readonly string[]): OptionValues | 'help' {
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      ...Object.fromEntries(
        Object.entries(options).map(([name, { value }]) => [
          name,
          { type: value === undefined ? ('boolean' as const) : ('string' as const) },
        ]),
      ),
      help: { type: 'boolean' as const, short: 'h' },
    },
    // Strict parsing stops at the first fault, and its messages explain escapes, which do not help
    // here.
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  if (tokens.some((token) => token.kind === 'option' && token.name === 'help')) return 'help';
  const faults: string[] = [];
  const given: Record<string, string[]> = {};
  for (const [index, token] of tokens.entries()) {
    const before = tokens[index - 1];
    // The argument after an unknown option is probably its value.
    const isValue = before?.kind === 'option' && !Object.hasOwn(options, before.name);
    if (token.kind === 'positional' && !isValue) faults.push(`unexpected argument ${quote(token.value)}.`);
    if (token.kind !== 'option') continue;
    const option = Object.hasOwn(options, token.name) ? options[token.name] : undefined;
    if (!option) {
      const known = Object.keys(options).map((name) => `--${name}`);
      faults.push(`unknown option ${quote(token.rawName)}.${didYouMean(token.rawName, known)}`);
    } else if (option.value === undefined) {
      if (token.value !== undefined) faults.push(`--${token.name} takes no value.`);
      given[token.name] = [];
    } else if (token.value === undefined || (token.value.startsWith('-') && !token.inlineValue)) {
      faults.push(`--${token.name} needs a value: --${token.name} ${option.value}.`);
    } else if (token.value === '') {
      faults.push(`--${token.name} ${option.value} is empty.`);
    } else {
      const values = given[token.name] ?? [];
      given[token.name] = values;
      values.push(token.value);
    }
  }
  for (const [name, { value, isRequired, isRepeatable }] of Object.entries(options)) {
    const count = given[name]?.length ?? 0;
    const isNamed = faults.some((fault) => fault.startsWith(`--${name} `));
    if (count === 0 && isRequired && !isNamed) faults.push(`--${name} ${value} is missing.`);
    if (count > 1 && !isRepeatable) faults.push(`--${name} is given more than once.`);
  }
  if (faults.length > 0) throw new CannotRun(...faults);
  return given;
}
