import process from 'node:process';
import { describe, expect, it, vi } from 'vitest';
import { policyWith, testIssuerEntry } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { startTestService, type TestService } from '../support/test-service.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';

const policyWithKeysAt = (jwksUrl: string, issuer?: string) =>
  policyWith({
    issuers: [testIssuerEntry({ ...(issuer && { issuer }), jwksFile: undefined, jwksUrl })],
  });
const readiness = async ({ operationsUrl }: TestService) => {
  const response = await fetch(`${operationsUrl}/readyz`);
  return [response.status, (await response.text()).split('\n').find((line) => line.includes('issuer keys'))];
};

it('becomes ready by itself once the keys of its issuer are loaded', async () => {
  const issuer = createTestIssuer();
  const service = await startTestService({
    issuer,
    env: { METRICS_PORT: '0' },
    policyYaml: policyWithKeysAt(`${(await startTestServer(json(issuer.jwks))).origin}/jwks`),
  });
  await vi.waitFor(async () =>
    expect(await readiness(service)).toStrictEqual([200, 'ok issuer keys: https://login.test/ loaded']),
  );
  const response = await fetch(`${service.url}/v1/policy`, {
    headers: { authorization: `Bearer ${await issuer.sign()}` },
  });
  expect(response.status).toBe(200);
});

it('is not ready while no issuer’s keys can be loaded, and logs why', async () => {
  const server = await startTestServer(json({}, 500));
  const service = await startTestService({
    env: { METRICS_PORT: '0' },
    policyYaml: policyWithKeysAt(`${server.origin}/jwks`),
  });
  await vi.waitFor(() => expect(service.log.join('')).toContain('the keys of the issuer cannot be fetched'));
  expect(await readiness(service)).toStrictEqual([
    503,
    `FAILED issuer keys: https://login.test/ not loaded: ${new URL(server.origin).host} responded with status 500, not 200`,
  ]);
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
});

it('warns of a claim that callers of several issuers could share', async () => {
  const policyYaml = policyWith({
    issuers: [testIssuerEntry(), testIssuerEntry({ issuer: 'https://other.test/' })],
  });
  const service = await startTestService({ policyYaml });
  expect(service.log.join('')).toContain('a claim is unique only within one (RFC 7519 4.1.2)');
});

it('uses the issuers of a new policy, and drops those that it no longer names', async () => {
  const [before, after] = [createTestIssuer(), createTestIssuer({ issuer: 'https://new-login.test/' })];
  const policyOf = async (issuer: TestIssuer, keysUrl: string) => policyWithKeysAt(keysUrl, issuer.issuer);
  const keysOf = async (issuer: TestIssuer) => `${(await startTestServer(json(issuer.jwks))).origin}/jwks`;
  const service = await startTestService({ policyYaml: await policyOf(before, await keysOf(before)) });
  const statusFor = async (issuer: TestIssuer) => {
    const headers = { authorization: `Bearer ${await issuer.sign()}` };
    return (await fetch(`${service.url}/v1/policy`, { headers })).status;
  };
  expect([await statusFor(before), await statusFor(after)]).toStrictEqual([200, 401]);

  service.replacePolicy(await policyOf(after, await keysOf(after)));
  expect([await statusFor(before), await statusFor(after)]).toStrictEqual([401, 200]);
});

it('accepts an issuer’s new key at once and its old key no more, and does not fetch again for unknown keys', async () => {
  const old = createTestIssuer({ kid: 'old' });
  const current = createTestIssuer({ kid: 'current' });
  const made = createTestIssuer({ kid: 'made-up' });
  const server = await startTestServer(json(old.jwks));
  const service = await startTestService({ policyYaml: policyWithKeysAt(`${server.origin}/jwks`) });
  const statusFor = async (issuer: TestIssuer) => {
    const headers = { authorization: `Bearer ${await issuer.sign()}` };
    return (await fetch(`${service.url}/v1/policy`, { headers })).status;
  };
  expect(await statusFor(old)).toBe(200);

  server.respond = json(current.jwks);
  const atFirst = server.requests.length;
  // The service's clock stands still, so the first request with the new key has to fetch it.
  expect(await statusFor(current)).toBe(200);
  expect(server.requests.length - atFirst).toBe(1);
  expect(await statusFor(old)).toBe(401);

  const before = server.requests.length;
  const flood = await Promise.all(Array.from({ length: 200 }, () => statusFor(made)));
  // 503 once the service may not look up unknown keys any more.
  expect(flood.filter((status) => status !== 401 && status !== 503)).toStrictEqual([]);
  expect(server.requests.length - before).toBeLessThanOrEqual(1);

  server.respond = (_request, response) => response.destroy();
  expect(await statusFor(current)).toBe(200);
});

it('is not ready while the clock is not set', async () => {
  const service = await startTestService({
    policyYaml: policyWith(),
    clock: () => new Date(0),
    env: { METRICS_PORT: '0' },
  });
  const response = await fetch(`${service.operationsUrl}/readyz`);
  expect([response.status, await response.text()]).toStrictEqual([
    503,
    expect.stringContaining('FAILED clock: before 2026\n'),
  ]);
});

describe('AUDIT_MODE=strict', () => {
  const ask = async ({ url, issuer }: TestService) => {
    const headers = { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' };
    return (await fetch(`${url}/v1/uploads`, { method: 'POST', headers, body: JSON.stringify(PHOTO) }))
      .status;
  };
  const brokenOutput = {
    status: () => ({ lostLines: 12, fault: 'ENOSPC' }),
    written: () => Promise.resolve(false),
  };
  const lineOf = async ({ operationsUrl }: TestService) => {
    const response = await fetch(`${operationsUrl}/readyz`);
    return [response.status, (await response.text()).split('\n').find((line) => line.includes('log output'))];
  };

  it('grants nothing and is not ready while the log cannot be written', async () => {
    const service = await startTestService({
      policyYaml: policyWith(),
      env: { AUDIT_MODE: 'strict', METRICS_PORT: '0' },
      logOutput: brokenOutput,
    });
    expect(await ask(service)).toBe(503);
    expect(await lineOf(service)).toStrictEqual([
      503,
      'FAILED log output: cannot be written (ENOSPC); lines lost since the start: 12',
    ]);
  });

  it('is off by default: the service grants, stays ready, and reports the fault', async () => {
    const service = await startTestService({
      policyYaml: policyWith(),
      env: { METRICS_PORT: '0' },
      logOutput: brokenOutput,
    });
    expect(await ask(service)).toBe(201);
    expect(await lineOf(service)).toStrictEqual([
      200,
      'ok log output: cannot be written (ENOSPC); lines lost since the start: 12',
    ]);
  });
});

it.each([
  ['0.0.0.0', /^http:\/\/0\.0\.0\.0:\d+$/],
  ['::', /^http:\/\/\[::\]:\d+$/],
  ['127.0.0.1', /^http:\/\/127\.0\.0\.1:\d+$/],
  ['localhost', /^http:\/\/(127\.0\.0\.1|\[::1\]|localhost):\d+$/],
])('logs the address that it listens on for HOST=%s', async (host, address) => {
  const service = await startTestService({
    policyYaml: policyWith(),
    env: { HOST: host, METRICS_PORT: '0', CORS_ORIGINS: 'https://app.example.com' },
  });
  const line = JSON.parse(service.log.find((one) => one.includes('"msg":"listening"')) ?? '');
  expect(line).toMatchObject({
    version: '1.2.3',
    nodeVersion: process.version,
    address: expect.stringMatching(address),
    metricsAddress: expect.stringMatching(address),
    credentialsSource: 'environment',
    limiterMode: 'memory',
    auditMode: 'lossy',
    corsOrigins: ['https://app.example.com'],
  });
  const metrics = await (
    await fetch(`http://127.0.0.1:${new URL(line.metricsAddress).port}/metrics`).catch(() =>
      fetch(`${line.metricsAddress}/metrics`),
    )
  ).text();
  expect(metrics).toMatch(
    new RegExp(
      `^oss_presign_build_info\\{version="1\\.2\\.3",node_version="${process.version}",policy_version="${line.policyVersion}",credentials_source="environment",limiter_mode="memory",cors_origins="1"\\} 1$`,
      'm',
    ),
  );
});

it('logs why limits are not counted in Redis', async () => {
  // Nothing listens on port 1.
  const { log } = await startTestService({
    policyYaml: policyWith(),
    env: { REDIS_URL: 'redis://:a-password@127.0.0.1:1/0' },
  });
  const line = await vi.waitFor(() => JSON.parse(log.find((one) => one.includes('degraded')) ?? ''));
  expect(line).toMatchObject({
    level: 'warn',
    limiterMode: 'degraded',
    reason: 'ECONNREFUSED',
    msg: 'limits cannot be counted in Redis: this replica counts them alone',
  });
  expect(log.join('')).not.toContain('a-password');
});
