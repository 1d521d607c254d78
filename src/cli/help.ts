import type { Command, CommandOption } from './command.ts';

/** What the program is for and which commands there are. */
export function renderOverview(commands: readonly Command[]): string {
  return `oss-presign issues presigned PUT URLs for Alibaba Cloud OSS, as a policy file allows.

Usage: oss-presign COMMAND [OPTION…]
       oss-presign COMMAND --help, or oss-presign help COMMAND
       oss-presign --version

Commands:
${renderTable(commands.map(({ name, summary }) => [name, summary]))}
The environment variables are those of the service; POLICY_FILE names the policy (policy.yaml by default). Variables that the
environment lacks are read from .env in the working directory.

Exit codes: 0 done; 1 a check failed or the upload is denied; 2 the command cannot run as it was given.
`;
}

/** All about one command: what it is for, its options, an example, its exit codes. */
export function renderHelp({ name, description, options, example, exitCodes }: Command): string {
  const given = Object.entries(options).map(([option, { value, isRequired, isRepeatable }]) => {
    const text = `--${option} ${value}`;
    return isRequired ? text : isRepeatable ? `[${text}]…` : `[${text}]`;
  });
  return `${description}

Usage: ${['oss-presign', name, ...given].join(' ')}

Options:
${renderTable([
  ...Object.entries(options).map(([option, { value, description }]: [string, CommandOption]) => [
    `--${option} ${value}`,
    description,
  ]),
  ['-h, --help', 'Prints this text.'],
])}
Example:
  ${example}

Exit codes:
${renderTable([...Object.entries(exitCodes), ['2', 'the command cannot run as it was given; stderr says why']])}`;
}

function renderTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first = '']) => first.length)) + 2;
  return rows.map(([first = '', second = '']) => `  ${first.padEnd(width)}${second}\n`).join('');
}
