import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { systemClock } from '../clock.ts';
import { startEmulator } from '../emulator/emulator.ts';
import { DEMO_BUCKET, DEMO_CREDENTIALS, demoBucket } from './demo-environment.ts';
import { startDemoIssuer } from './demo-issuer.ts';
import { renderDemoPage } from './demo-page.ts';

// The container `demo` of compose.demo.yaml: everything that the service needs. The emulator
// listens on 9000, the issuer with the demo page on 8090. Both ports are open to the containers and
// to this machine.

const {
  DEMO_ISSUER_ORIGIN = 'http://demo:8090',
  DEMO_SERVICE_URL = 'http://localhost:8080',
  OSS_ACCESS_KEY_ID = DEMO_CREDENTIALS.accessKeyId,
  OSS_ACCESS_KEY_SECRET = DEMO_CREDENTIALS.accessKeySecret,
} = process.env;

const host = '0.0.0.0';
const directory = await mkdtemp(join(tmpdir(), 'oss-presign-demo-'));
const issuer = await startDemoIssuer({
  clock: systemClock,
  host,
  port: 8090,
  origin: DEMO_ISSUER_ORIGIN,
  page: renderDemoPage(DEMO_SERVICE_URL),
});
const emulator = await startEmulator({
  host,
  port: 9000,
  directory,
  buckets: { [DEMO_BUCKET]: demoBucket() },
  credentials: [{ accessKeyId: OSS_ACCESS_KEY_ID, accessKeySecret: OSS_ACCESS_KEY_SECRET }],
  clock: systemClock,
});

process.stdout.write(`
For development and tests only.

  page       http://localhost:8090/
  service    ${DEMO_SERVICE_URL}
  emulator   http://localhost:9000
  a token    curl http://localhost:8090/token?sub=alice

`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    Promise.all([emulator.close(), issuer.close(), rm(directory, { recursive: true, force: true })]).then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
