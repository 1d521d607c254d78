import type { Command, CommandOption } from './command.ts';

/** What the program is for and which commands there are. */
export function renderOverview(commands: readonly Command[]): string {
  return `oss-presign hands out permission to upload: presigned PUT URLs for Alibaba Cloud OSS, by policy.

Usage: oss-presign COMMAND [OPTION…]
       oss-presign COMMAND --help
       oss-presign --version

Commands:
${renderTable(commands.map(({ name, summary }) => [name, summary]))}
The environment variables are those of the service; POLICY_FILE names the policy (policy.yaml by default).

Exit codes: 0 done; 1 the answer is no; 2 the command cannot be run as it was given.
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
  ['-h, --help', 'This text.'],
])}
Example:
  ${example}

Exit codes:
${renderTable([...Object.entries(exitCodes), ['2', 'it cannot be run as it was given, and stderr says why']])}`;
}

function renderTable(rows: readonly (readonly string[])[]): string {
  const width = Math.max(...rows.map(([first = '']) => first.length)) + 2;
  return rows.map(([first = '', second = '']) => `  ${first.padEnd(width)}${second}\n`).join('');
}
