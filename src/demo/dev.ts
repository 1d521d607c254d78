import process from 'node:process';
import { systemClock } from '../clock.ts';
import { createLogger } from '../log/logger.ts';
import { curlCommand } from './curl-command.ts';
import { startDemoEnvironment } from './demo-environment.ts';
import { asksForUsage, DEV_USAGE, readDevOptions } from './dev-options.ts';
import { claimsOfExampleRule, requestForExampleRule } from './local-policy.ts';

// The demo's servers on fixed ports. They keep running, for use by a browser or curl.

const CONTENT = 'hello';
const GRANT_ID_HEADER = 'x-oss-meta-upload-id';

const args = process.argv.slice(2);
if (asksForUsage(args)) {
  process.stdout.write(DEV_USAGE);
  process.exit(0);
}
const options = readDevOptions(args);
if ('faults' in options) stopWith([...options.faults.map((fault) => `error: ${fault}`), '', DEV_USAGE]);

const { policyFile, ports } = options;
const demo = await startDemoEnvironment(ports, createLogger('info', systemClock), {
  policyFile,
  corsOrigins: 'http://localhost:*,http://127.0.0.1:*',
  env: policyFile === undefined ? {} : process.env,
}).catch((error: Error) =>
  stopWith(['npm run dev does not start:', ...error.message.split('\n').map((fault) => `  - ${fault}`), '']),
);

const { serviceUrl, emulatorUrl, policy } = demo;
const claims = { ...claimsOfExampleRule(policy), sub: 'alice' };
const request = requestForExampleRule(policy, claims, CONTENT.length);

/** Renders a shell expression for a field of the response that `$GRANT` holds. */
const fieldOfGrant = (name: string): string =>
  `$(printf '%s' "$GRANT" | sed 's/.*"${name}":"\\([^"]*\\)".*/\\1/')`;

process.stdout.write(`
For development and tests only. Everything runs on this machine, with new keys.

  page       ${serviceUrl}/
  service    ${serviceUrl}
  emulator   ${emulatorUrl}
  policy     ${policyFile ?? 'src/demo/policy.yaml'}
  origins    any page of http://localhost or http://127.0.0.1, on any port, may call the service
${
  policyFile === undefined
    ? ''
    : `
The rules are those of your policy. The issuers and buckets that it names are replaced: tokens come from ${serviceUrl}/token,
and files go to the emulator.
`
}
Get a token for alice, valid for 1 h. Other subjects and claims: /token?sub=bob&scope=uploads:write&role=member

TOKEN=$(curl -sS '${serviceUrl}/token?sub=alice')

${request ? await uploadCommands(request) : 'No rule of this policy lets clients upload by a PUT. See docs/forms.md for forms, and docs/large-files.md for uploads in parts.'}

Press Ctrl+C to stop the servers and to remove the uploaded files.

`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    demo.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}

/** Renders the commands that upload a file and confirm it. */
async function uploadCommands(request: Readonly<Record<string, unknown>>): Promise<string> {
  const call = { method: 'POST', url: `${serviceUrl}/v1/uploads`, body: JSON.stringify(request) };
  const type = { 'Content-Type': 'application/json' };
  // Requested once to print the headers of the PUT. The command below requests another URL.
  const authorization = `Bearer ${await demo.tokenFor('alice')}`;
  const response = await fetch(call.url, { ...call, headers: { ...type, authorization } });
  const grant = (await response.json()) as {
    readonly headers?: Readonly<Record<string, string>>;
    readonly id?: string;
  };
  const headers = { ...grant.headers };
  // This one differs from grant to grant.
  if (GRANT_ID_HEADER in headers) headers[GRANT_ID_HEADER] = fieldOfGrant(GRANT_ID_HEADER);
  const authorized = { Authorization: 'Bearer $TOKEN', ...type };
  const commands = [
    'Request an upload URL:',
    `GRANT=$(${curlCommand({ ...call, headers: authorized })}); printf '%s\\n' "$GRANT"`,
    'Send the file to that URL:',
    curlCommand({ method: 'PUT', url: fieldOfGrant('url'), headers, body: CONTENT, showsStatus: true }),
  ];
  if (grant.id !== undefined) {
    commands.push(
      'Confirm that the file has arrived, and get a receipt:',
      curlCommand({
        method: 'POST',
        url: `${call.url}/complete`,
        headers: authorized,
        body: `{\\"id\\":\\"${fieldOfGrant('id')}\\"}`,
      }),
    );
  }
  return commands.join('\n\n');
}

function stopWith(lines: readonly string[]): never {
  process.stderr.write(lines.join('\n'));
  process.exit(1);
}
