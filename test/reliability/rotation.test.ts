import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { EmulatorCredentials } from '../../src/emulator/emulator.ts';
import { now } from '../support/fixed-clock.ts';
import { createManualClock } from '../support/manual-clock.ts';
import { replaceBySwap } from '../support/mounted-volume.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';
import { redirectHosts } from '../support/redirect-hosts.ts';
import { issuedCredentials, oidcEnvironment, startStandInSts } from '../support/stand-in-sts.ts';
import { startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';
import { nowSeconds } from '../support/tokens.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'oss-presign-rotation-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
});

/** A real service, and an emulator that knows all of its credentials, on one clock. */
async function startServers(
  env: Readonly<Record<string, string>>,
  credentials: readonly EmulatorCredentials[],
  { clock, advance } = createManualClock(),
) {
  const emulator = await startTestEmulator({ credentials, clock });
  const service = await startTestService({
    policyYaml: policyWith({ targets: { media: mediaTarget({ endpoint: emulator.url }) } }),
    env: { METRICS_PORT: '0', OSS_ACCESS_KEY_ID: '', OSS_ACCESS_KEY_SECRET: '', ...env },
    clock,
  });
  // With more connections, a busy machine would take over a second, and the service would reject requests.
  const agent = new Agent({ keepAlive: true, maxSockets: 200 });
  onTestFinished(() => agent.destroy());
  const token = await service.issuer.sign({ exp: nowSeconds + 7200 });

  async function send(url: string, method: string, headers: Readonly<Record<string, string>>, body: string) {
    return new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request(url, { agent, method, headers: { ...headers, 'content-length': Buffer.byteLength(body) } })
        .on('response', (response) => {
          text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
        })
        .on('error', reject)
        .end(body);
    });
  }

  let uploads = 0;
  return {
    advance,
    url: service.url,
    log: service.log,
    /** Requests an upload with a key that no other request has. */
    ask: async () => {
      const upload = { key: `users/alice/${uploads++}.txt`, contentType: 'text/plain', contentLength: 2 };
      const response = await send(
        `${service.url}/v1/uploads`,
        'POST',
        { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        JSON.stringify(upload),
      );
      expect(response.status, response.body).toBe(201);
      const grant: { readonly url: string; readonly headers: Record<string, string> } = JSON.parse(
        response.body,
      );
      const signer = new URL(grant.url).searchParams.get('x-oss-credential')?.split('/')[0] ?? '';
      return { ...grant, signer };
    },
    /** Uploads what was granted. */
    put: async ({ url, headers }: { readonly url: string; readonly headers: Record<string, string> }) => {
      const response = await send(url, 'PUT', headers, 'hi');
      expect(response.status, response.body).toBe(200);
    },
    readiness: async () => {
      const response = await fetch(`${service.operationsUrl}/readyz`);
      return (await response.text()).split('\n').find((line) => line.includes('credentials'));
    },
  };
}

async function startStsServers() {
  const hand = createManualClock();
  const sts = await startStandInSts(hand.clock);
  onTestFinished(redirectHosts(sts.hosts));
  writeFileSync(join(folder, 'token'), 'PrivateToken');
  // OSS rejects signatures of expired credentials.
  const known = [60, 120].map((minutes, index) => ({
    ...issuedCredentials(index + 1),
    expiresAt: new Date(now.getTime() + minutes * MINUTE),
  }));
  const servers = await startServers(oidcEnvironment(join(folder, 'token')), known, hand);
  await vi.waitFor(
    async () => expect(await servers.readiness()).toBe('ok credentials: oidc_role_arn, valid for 60 min'),
    { timeout: 10_000 },
  );
  return { sts, ...servers };
}

const countBySigner = (grants: readonly { readonly signer: string }[]) =>
  Object.fromEntries(
    Object.entries(Object.groupBy(grants, ({ signer }) => signer)).map(([signer, of = []]) => [
      signer,
      of.length,
    ]),
  );

it('rotates in the middle of 2,000 concurrent requests: one fetch, and every URL verifies', {
  timeout: 60_000,
}, async () => {
  const { sts, advance, ask, put, readiness, log } = await startStsServers();
  // 10 s before the last third of their lifetime, in which the service renews them.
  advance(40 * MINUTE - 10 * SECOND);
  const released = Promise.withResolvers<void>();
  sts.server.respond = async (request) => {
    await released.promise;
    return sts.assumeRole(request);
  };
  const renewals = () => log.filter((line) => line.includes('the cloud credentials are renewed')).length;
  const renewed = vi.waitFor(() => expect(renewals()).toBe(2), { timeout: 50_000 });
  let granted = 0;
  const grants = await Promise.all(
    Array.from({ length: 2_000 }, async (_, n) => {
      // The last 500 requests wait, so that some arrive after the renewal on every machine.
      if (n >= 1_500) await renewed;
      const grant = await ask();
      granted++;
      if (granted === 500) advance(10 * SECOND);
      // Until STS responds, the service signs with the old credentials.
      if (granted === 1_000) released.resolve();
      return grant;
    }),
  );
  expect(sts.server.requests).toHaveLength(2);
  const signers = countBySigner(grants);
  expect(Object.keys(signers)).toStrictEqual(['STS.NT1', 'STS.NT2']);
  expect(signers['STS.NT1']).toBeGreaterThanOrEqual(1_000);
  await Promise.all(grants.map(put));
  expect(await readiness()).toBe('ok credentials: oidc_role_arn, valid for 60 min');
  expect(log.join('')).not.toMatch(/PrivateToken|CAIS|Secret\d/);
});

it('lets all wait for one fetch when the credentials are over, and every URL verifies', async () => {
  const { sts, advance, ask, put } = await startStsServers();
  advance(60 * MINUTE);
  const grants = await Promise.all(Array.from({ length: 300 }, ask));
  expect(sts.server.requests).toHaveLength(2);
  expect(countBySigner(grants)).toStrictEqual({ 'STS.NT2': 300 });
  await Promise.all(grants.map(put));
});

it('follows a secret volume that is swapped under load, and every URL verifies', async () => {
  const generations = [1, 2, 3].map(issuedCredentials);
  const write = (generation: number) => {
    const { accessKeyId, accessKeySecret, securityToken } = issuedCredentials(generation);
    replaceBySwap(folder, { id: accessKeyId, secret: `${accessKeySecret}\n`, token: securityToken });
  };
  write(1);
  const { ask, put } = await startServers(
    {
      OSS_ACCESS_KEY_ID_FILE: join(folder, 'id'),
      OSS_ACCESS_KEY_SECRET_FILE: join(folder, 'secret'),
      OSS_SESSION_TOKEN_FILE: join(folder, 'token'),
    },
    generations,
  );
  const signers: string[] = [];
  let written = 1;
  const isOver = () => signers.filter((signer) => signer === 'STS.NT3').length >= 100;
  await Promise.all(
    Array.from({ length: 50 }, async () => {
      while (!isOver()) {
        const grant = await ask();
        await put(grant);
        signers.push(grant.signer);
        // The next one comes when the last one is in use.
        if (written < 3 && grant.signer === `STS.NT${written}` && signers.length >= 100 * written) {
          write(++written);
        }
      }
    }),
  );
  expect(new Set(signers)).toStrictEqual(new Set(['STS.NT1', 'STS.NT2', 'STS.NT3']));
});
