import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../clock.ts';
import { startEmulator } from '../emulator/emulator.ts';
import type { ServiceLogger } from '../http/logging.ts';
import { readPackageVersion } from '../package-version.ts';
import { prepare } from '../prepare.ts';
import { createService } from '../service.ts';
import { type DemoIssuer, startDemoIssuer } from './demo-issuer.ts';
import { renderDemoPage } from './demo-page.ts';

/** The bucket of `policy.yaml` beside this file. */
export const DEMO_BUCKET = 'demo-media';
export const DEMO_REGION = 'cn-hangzhou';

/** What the emulator believes; they open nothing anywhere else. */
export const DEMO_CREDENTIALS = {
  accessKeyId: 'demo-access-key-id',
  accessKeySecret: 'demo-access-key-secret',
};

export type Stage = {
  readonly serviceUrl: string;
  readonly emulatorUrl: string;
  readonly issuer: DemoIssuer;
  /** A folder of the demo's own, removed when it closes. */
  readonly directory: string;
  close(): Promise<void>;
};

/** Which port each server takes; 0 for a free one. */
export type StagePorts = { readonly service: number; readonly emulator: number; readonly issuer: number };

/**
 * Sets up everything that the demo needs on this machine: an OSS, an issuer of tokens, and between them the real service,
 * configured as an operator would, by environment and policy file.
 * @throws Error with one plain sentence when a port is taken.
 */
export async function setUpStage(ports: StagePorts, logger: ServiceLogger): Promise<Stage> {
  const host = '127.0.0.1';
  const directory = await mkdtemp(join(tmpdir(), 'oss-presign-demo-'));
  const issuer = await startDemoIssuer({ clock: systemClock, host, port: ports.issuer });
  const emulator = await startEmulator({
    host,
    port: ports.emulator,
    directory: join(directory, 'oss'),
    buckets: { [DEMO_BUCKET]: demoBucket() },
    credentials: [DEMO_CREDENTIALS],
    clock: systemClock,
  });
  const policyFile = new URL('policy.yaml', import.meta.url);
  const policyText = await readFile(policyFile, 'utf8');
  const prepared = prepare(
    {
      HOST: host,
      PORT: String(ports.service),
      OSS_ACCESS_KEY_ID: DEMO_CREDENTIALS.accessKeyId,
      OSS_ACCESS_KEY_SECRET: DEMO_CREDENTIALS.accessKeySecret,
      DEMO_ISSUER: issuer.issuer,
      DEMO_JWKS_URL: issuer.jwksUrl,
      DEMO_OSS_ENDPOINT: emulator.url,
    },
    () => policyText,
  );
  if ('faults' in prepared) throw new Error(prepared.faults.join('\n'));
  const service = await createService({
    ...prepared,
    logger,
    version: readPackageVersion(),
    clock: systemClock,
    fetch: globalThis.fetch,
  });
  const page = renderDemoPage('');
  service.app.get('/', { config: { public: true } }, async (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(page),
  );
  service.app.get<{ Querystring: { sub?: string } }>(
    '/token',
    { config: { public: true } },
    async ({ query }) => issuer.tokenFor(query.sub ?? 'alice'),
  );
  const serviceUrl = await service.start();

  return {
    serviceUrl,
    emulatorUrl: emulator.url,
    issuer,
    directory,
    close: async () => {
      await service.stop({ delaySeconds: 0 });
      await Promise.all([emulator.close(), issuer.close()]);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The demo's bucket: any page may PUT and read what the bucket answers, as CORS rules of a real one would allow. */
export function demoBucket() {
  return {
    region: DEMO_REGION,
    corsRules: [
      {
        allowedOrigins: ['*'],
        allowedMethods: ['PUT'],
        allowedHeaders: ['*'],
        exposeHeaders: ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma', 'x-oss-ec'],
        maxAgeSeconds: 600,
      },
    ],
  };
}
