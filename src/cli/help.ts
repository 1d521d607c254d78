import type { Command, CommandOption } from './command.ts';

/** The overview: the purpose of the program, and its commands. */
export function renderOverview(commands: readonly Command[]): string {
  return `oss-presign issues presigned PUT URLs for Alibaba Cloud OSS, as a policy file allows.

Usage: oss-presign COMMAND [OPTION…]
       oss-presign COMMAND --help, or oss-presign help COMMAND
       oss-presign --version

Commands:
${renderTable(commands.map(({ name, summary }) => [name, summary]))}
The commands read the environment variables of the service. POLICY_FILE is the path of the policy, by default policy.yaml.
Variables that are not set are read from .env in the working directory.

Exit codes: 0: success; 1: denied or a check failed; 2: usage error.
`;
}

/** The help of one command: its purpose, options, an example and the exit codes. */
export function renderHelp({ name, description, options, example, exitCodes }: Command): string {
  const given = Object.entries(options).map(([option, { value, isRequired, isRepeatable }]) => {
    const text = withValue(option, value);
    return isRequired ? text : isRepeatable ? `[${text}]…` : `[${text}]`;
  });
  return `${description}

Usage: ${['oss-presign', name, ...given].join(' ')}

Options:
${renderTable([
  ...Object.entries(options).map(([option, { value, description }]: [string, CommandOption]) => [
    withValue(option, value),
    description,
  ]),
  ['-h, --help', 'Prints this text.'],
])}
Example:
  ${example}

Exit codes:
${renderTable([...Object.entries(exitCodes), ['2', 'usage error; stderr has the reason']])}`;
}

function withValue(option: string, value: string | undefined): string {
  return value === undefined ? `--${option}` : `--${option} ${value}`;
}

function renderTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first = '']) => first.length)) + 2;
  return rows.map(([first = '', second = '']) => `  ${first.padEnd(width)}${second}\n`).join('');
}
