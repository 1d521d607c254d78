import { parseArgs } from 'node:util';
import { CannotRun, type CliContext, type Command, type OptionValues } from './command.ts';
import { bucketCorsCommand } from './commands/bucket-cors.ts';
import { checkCommand } from './commands/check.ts';
import { decideCommand } from './commands/decide.ts';
import { explainCommand } from './commands/explain.ts';
import { ramPolicyCommand } from './commands/ram-policy.ts';
import { startCommand } from './commands/start.ts';
import { renderHelp, renderOverview } from './help.ts';

const COMMANDS: readonly Command[] = [
  startCommand,
  checkCommand,
  ramPolicyCommand,
  bucketCorsCommand,
  decideCommand,
  explainCommand,
];

const CANNOT_RUN = 2;

/**
 * Runs one command line.
 * @param argv what follows the program's name.
 * @returns the exit code, or undefined when the process has become the service and lives on.
 */
export async function run(argv: readonly string[], context: CliContext): Promise<number | undefined> {
  const [name, ...rest] = argv;
  if (name === '--help' || name === '-h') {
    context.write('stdout', renderOverview(COMMANDS));
    return 0;
  }
  if (name === '--version') {
    context.write('stdout', `${context.version}\n`);
    return 0;
  }
  const command = COMMANDS.find((one) => one.name === name);
  if (!command) {
    context.write('stderr', `error: ${commandFault(name)}\n\n${renderOverview(COMMANDS)}`);
    return CANNOT_RUN;
  }
  try {
    const options = readOptions(command, rest);
    if (options !== 'help') return await command.run(options, context);
    context.write('stdout', renderHelp(command));
    return 0;
  } catch (error) {
    if (!(error instanceof CannotRun)) throw error;
    const lines = error.faults.map((fault) => `error: ${fault}\n`);
    context.write('stderr', `${lines.join('')}See: oss-presign ${command.name} --help\n`);
    return CANNOT_RUN;
  }
}

function commandFault(name: string | undefined): string {
  if (name === undefined) return 'no command is given.';
  if (name.startsWith('-')) return `the command comes first, and ${name} is none.`;
  return `there is no command ${JSON.stringify(name)}.`;
}

function readOptions({ options }: Command, args: readonly string[]): OptionValues | 'help' {
  const values = parse(options, args);
  if (values.help === true) return 'help';
  const given = Object.fromEntries(Object.keys(options).map((name) => [name, asList(values[name])]));
  const faults = Object.entries(options).flatMap(([name, { value, isRequired, isRepeatable }]) => {
    const count = given[name]?.length ?? 0;
    if (count === 0 && isRequired) return [`--${name} ${value} is missing.`];
    if (count > 1 && !isRepeatable) return [`--${name} is given more than once.`];
    return given[name]?.includes('') ? [`--${name} ${value} is empty.`] : [];
  });
  if (faults.length > 0) throw new CannotRun(...faults);
  return given;
}

function parse(options: Command['options'], args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        ...Object.fromEntries(
          Object.keys(options).map((name) => [name, { type: 'string' as const, multiple: true }]),
        ),
        help: { type: 'boolean' as const, short: 'h' },
      },
    }).values as Readonly<Record<string, unknown>>;
  } catch (error) {
    // The first sentence names the fault; the others explain escapes that nobody needs here.
    const [fault = ''] = (error as Error).message.split(/\. |\n/);
    throw new CannotRun(`${fault.replace(/\.$/, '')}.`);
  }
}

function asList(value: unknown): readonly string[] | undefined {
  return value === undefined ? undefined : [value].flat().map(String);
}
