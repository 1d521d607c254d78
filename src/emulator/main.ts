import process from 'node:process';
import { parseArgs } from 'node:util';
import { startEmulator } from './emulator.ts';

const USAGE = `An OSS emulator, for development and tests only.

  node src/emulator/main.ts --bucket NAME [--region cn-hangzhou] [--host 127.0.0.1] [--port 9000] [--directory ./oss-data]

Credentials come from the environment: OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, and for temporary ones OSS_SESSION_TOKEN.
`;

try {
  const { values } = parseArgs({
    options: {
      bucket: { type: 'string' },
      region: { type: 'string', default: 'cn-hangzhou' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '9000' },
      directory: { type: 'string', default: 'oss-data' },
    },
  });
  const { OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET, OSS_SESSION_TOKEN } = process.env;
  if (!values.bucket) throw new TypeError('--bucket is missing');
  if (!OSS_ACCESS_KEY_ID || !OSS_ACCESS_KEY_SECRET)
    throw new TypeError('OSS_ACCESS_KEY_ID or OSS_ACCESS_KEY_SECRET is not set');
  const emulator = await startEmulator({
    host: values.host,
    port: Number(values.port),
    directory: values.directory,
    buckets: { [values.bucket]: { region: values.region } },
    credentials: [
      {
        accessKeyId: OSS_ACCESS_KEY_ID,
        accessKeySecret: OSS_ACCESS_KEY_SECRET,
        ...(OSS_SESSION_TOKEN && { securityToken: OSS_SESSION_TOKEN }),
      },
    ],
    clock: () => new Date(),
    onRequest: (event) => process.stdout.write(`${JSON.stringify(event)}\n`),
  });
  process.stdout.write(
    `OSS emulator, for development and tests only, at ${emulator.url}/${values.bucket}/\n`,
  );
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void emulator.close().then(() => process.exit(0)));
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'The emulator failed.'}\n\n${USAGE}`);
  process.exit(1);
}
