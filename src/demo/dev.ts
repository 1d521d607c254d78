import process from 'node:process';
import { systemClock } from '../clock.ts';
import { createLogger } from '../http/logging.ts';
import { curlCommand } from './curl-command.ts';
import { setUpStage } from './stage.ts';

// The demo's servers on fixed ports, kept running for a person with a browser or curl.

const stage = await setUpStage(
  { service: 8080, emulator: 9000, issuer: 8090 },
  createLogger('info', systemClock),
).catch((error: NodeJS.ErrnoException) => {
  process.stderr.write(`npm run dev needs the ports 8080, 8090 and 9000: ${error.code ?? error.message}\n`);
  process.exit(1);
});
const token = await stage.issuer.tokenFor('alice');
const request = { filename: 'hello.txt', contentType: 'text/plain', contentLength: 5 };

process.stdout.write(`
For development and tests only: everything here runs on this machine, with keys made for this run.

  page       http://localhost:8080/
  service    ${stage.serviceUrl}
  emulator   ${stage.emulatorUrl}
  policy     src/demo/policy.yaml

A token for alice, good for an hour; for others: curl http://localhost:8080/token?sub=bob

TOKEN='${token}'

Ask for a URL:

${curlCommand({
  method: 'POST',
  url: `${stage.serviceUrl}/v1/uploads`,
  headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
  body: JSON.stringify(request),
})}

Ctrl+C ends it and removes what was uploaded.

`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stage.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
