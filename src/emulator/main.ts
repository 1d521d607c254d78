import { writeFile } from 'node:fs/promises';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { EMULATOR_NOTICE, type EmulatorOptions, startEmulator } from './emulator.ts';

const USAGE = `Usage: OSS_ACCESS_KEY_SECRET=… node src/emulator/main.ts --bucket <name> --region <id> --access-key-id <id> --directory <path>

  --bucket <name>         bucket to create; may be given several times
  --region <id>           region of the buckets, without "oss-", e.g. cn-hangzhou
  --access-key-id <id>    accepted access key; set its secret in OSS_ACCESS_KEY_SECRET, an STS token in OSS_SESSION_TOKEN
  --directory <path>      folder for the objects
  --host <address>        default 127.0.0.1
  --port <number>         default 9000; 0 for a free port
  --domain <name>         custom domain (CNAME) of the first bucket; may be given several times
  --cors-origin <origin>  origin of pages that may use the buckets ("*": any); may be given several times
  --callback-key-file <path>
                          file to write the public key of callbacks to, for OSS_CALLBACK_KEY_FILE of the service
  --allow-private-callbacks
                          also call back to loopback and private addresses, which OSS rejects
`;

type Arguments = EmulatorOptions & { host: string; port: number; callbackKeyFile?: string };

const read = readArguments(process.argv.slice(2), process.env);
if ('faults' in read) {
  process.stderr.write(`${read.faults.map((fault) => `error: ${fault}\n`).join('')}\n${USAGE}`);
  process.exit(1);
}
try {
  const emulator = await startEmulator(read);
  if (read.callbackKeyFile !== undefined) {
    await writeFile(read.callbackKeyFile, emulator.callbackPublicKey).catch(async (error) => {
      await emulator.close();
      throw new Error(`Cannot write ${read.callbackKeyFile} (${error.code}).`);
    });
  }
  say(EMULATOR_NOTICE);
  say(`Listening on ${emulator.url} for ${Object.keys(read.buckets).join(', ')}.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      emulator.close().then(
        () => process.exit(0),
        () => process.exit(1),
      );
    });
  }
} catch (error) {
  process.stderr.write(`error: ${startFault(error, read)}\n`);
  process.exit(1);
}

function readArguments(argv: string[], env: NodeJS.ProcessEnv): Arguments | { faults: string[] } {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(argv);
  } catch (error) {
    return { faults: [error instanceof Error ? error.message : String(error)] };
  }
  const faults: string[] = [];
  const need = (value: string | undefined, what: string): string => {
    if (!value) faults.push(`${what} is missing.`);
    return value ?? '';
  };
  const region = need(values.region, '--region');
  const accessKeyId = need(values['access-key-id'], '--access-key-id');
  const directory = need(values.directory, '--directory');
  const accessKeySecret = need(env.OSS_ACCESS_KEY_SECRET, 'The environment variable OSS_ACCESS_KEY_SECRET');
  need(values.bucket?.[0], '--bucket');
  if (region.startsWith('oss-')) faults.push('--region is the id without "oss-", e.g. cn-hangzhou.');
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
  if (!(port <= 65_535)) faults.push('--port must be a number from 0 to 65535.');
  if (faults.length > 0) return { faults };

  const origins = values['cors-origin'] ?? [];
  const corsRules = origins.length === 0 ? [] : [allowOrigins(origins)];
  const buckets = (values.bucket ?? []).map((name, index) => {
    const domains = index === 0 ? (values.domain ?? []) : [];
    return [name, { region, corsRules, domains }] as const;
  });
  const callbackKeyFile = values['callback-key-file'];
  const securityToken = env.OSS_SESSION_TOKEN;
  return {
    host: values.host,
    port,
    directory,
    buckets: Object.fromEntries(buckets),
    credentials: [{ accessKeyId, accessKeySecret, ...(securityToken && { securityToken }) }],
    clock: () => new Date(),
    callbacks: { allowPrivateAddresses: values['allow-private-callbacks'] },
    ...(callbackKeyFile && { callbackKeyFile }),
    onRequest: ({ requestId, method, bucket, key, status, code, ec, bytes }) =>
      say(JSON.stringify({ requestId, method, bucket, key, status, code, ec, bytes })),
  };
}

function parse(argv: string[]) {
  return parseArgs({
    args: argv,
    options: {
      bucket: { type: 'string', multiple: true },
      region: { type: 'string' },
      'access-key-id': { type: 'string' },
      directory: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '9000' },
      domain: { type: 'string', multiple: true },
      'cors-origin': { type: 'string', multiple: true },
      'callback-key-file': { type: 'string' },
      'allow-private-callbacks': { type: 'boolean', default: false },
    },
  }).values;
}

function allowOrigins(allowedOrigins: string[]) {
  return {
    allowedOrigins,
    allowedMethods: ['GET', 'HEAD', 'PUT', 'POST', 'DELETE'],
    allowedHeaders: ['*'],
    exposeHeaders: ['ETag', 'Content-Disposition', 'x-oss-request-id', 'x-oss-hash-crc64ecma', 'x-oss-ec'],
    maxAgeSeconds: 600,
  };
}

function startFault(error: unknown, { host, port, directory }: Arguments): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `Port ${port} on ${host} is taken.`;
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return `${host} is not an address of this machine.`;
  if (code === 'EACCES' || code === 'ENOTDIR' || code === 'EEXIST' || code === 'EROFS') {
    return `Cannot write to ${directory} or listen on ${host}:${port} (${code}).`;
  }
  return message;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
