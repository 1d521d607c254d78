import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { PHOTO } from '../../support/requests.ts';
import { startTestService, type TestService } from '../../support/test-service.ts';

async function ask(service: TestService, body: unknown, path = '/v1/uploads'): Promise<number> {
  const response = await fetch(`${service.url}${path}`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await service.issuer.sign()}`,
      'content-type': 'application/json',
      'user-agent': 'UserAgentOfTheCaller',
    },
    body: JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
}

async function metricsOf(url: string): Promise<string> {
  const response = await fetch(`${url}/metrics`);
  expect([response.status, response.headers.get('content-type')]).toStrictEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  return response.text();
}

it('counts grants by rule and rejections by code, and measures the duration of every response', async () => {
  const service = await startTestService({ policyYaml: policyWith() });
  expect(await ask(service, PHOTO)).toBe(201);
  expect(await ask(service, { ...PHOTO, contentLength: 2 ** 21 })).toBe(403);
  expect(await ask(service, { ...PHOTO, surprise: 1 })).toBe(400);
  expect((await fetch(`${service.url}/v1/policy`)).status).toBe(401);
  const text = await metricsOf(service.url);
  for (const line of [
    'oss_presign_grants_total{rule="own-files"} 1',
    'oss_presign_denials_total{rule="own-files",code="too_large"} 1',
    'oss_presign_rejections_total{code="invalid_request"} 1',
    'oss_presign_rejections_total{code="unauthenticated"} 1',
    'oss_presign_http_request_duration_seconds_count{method="POST",route="/v1/uploads",status="201"} 1',
    'oss_presign_http_request_duration_seconds_count{method="GET",route="/v1/policy",status="401"} 1',
    'oss_presign_http_request_duration_seconds_count{method="POST",route="/v1/uploads",status="503"} 0',
    'oss_presign_signing_duration_seconds_count 1',
    'oss_presign_ready 1',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
});

it('contains nothing that a caller can choose, and no secret', async () => {
  const service = await startTestService({
    policyYaml: policyWith(),
    env: { OSS_SESSION_TOKEN: 'TheSessionToken' },
  });
  const before = await metricsOf(service.url);
  await ask(service, PHOTO);
  const once = await metricsOf(service.url);
  for (let n = 0; n < 20; n++) {
    await ask(service, { ...PHOTO, key: `users/alice/${n}.png` });
    await ask(service, { ...PHOTO, key: `users/stranger-${n}/photo.png` }, `/v1/uploads?n=${n}`);
    await ask(service, PHOTO, `/made-up-${n}`);
    await fetch(`${service.url}/made-up-${n}`, { method: 'PROPFIND' });
    await fetch(`${service.url}/v1/policy`, { headers: { authorization: `Bearer made-up-${n}` } });
  }
  const text = await metricsOf(service.url);
  expect(text).not.toMatch(/made-up|stranger|alice|photo|UserAgent|PROPFIND|LTAI|TestSecret|TheSessionToken/);
  const seriesOf = (of: string) => of.split('\n').filter((line) => line && !line.startsWith('#')).length;
  // One more route and four more kinds of response, whatever the number of callers and URLs.
  const perResponse = (seriesOf(once) - seriesOf(before) - 1) / 2;
  expect(seriesOf(text) - seriesOf(once)).toBeLessThan(6 * perResponse);
});

it('counts whether a new policy was applied', async () => {
  const service = await startTestService({ policyYaml: policyWith() });
  service.replacePolicy('rules: []');
  expect(await metricsOf(service.url)).toContain('oss_presign_policy_file_refused 1');
  service.replacePolicy(policyWith({ rules: [ownFilesRule({ expiresIn: { default: '5m' } })] }));
  const text = await metricsOf(service.url);
  for (const line of [
    'policy_reloads_total{result="applied"} 1',
    'policy_reloads_total{result="refused"} 1',
    'policy_file_refused 0',
  ]) {
    expect(text).toContain(`oss_presign_${line}`);
  }
});

it('is served on METRICS_PORT, with the probes, and not on PORT', async () => {
  const service = await startTestService({ policyYaml: policyWith(), env: { METRICS_PORT: '0' } });
  const { metricsAddress } = JSON.parse(service.log.find((line) => line.includes('"msg":"listening"')) ?? '');
  expect(await metricsOf(metricsAddress)).toContain('oss_presign_ready 1');
  expect((await fetch(`${service.url}/metrics`)).status).toBe(404);
  expect(await (await fetch(`${metricsAddress}/livez`)).text()).toBe('ok\n');
  const details = await (await fetch(`${metricsAddress}/readyz`)).text();
  expect(details.replace(/\b[0-9a-f]{12}\b/, 'VERSION')).toBe(
    'ok lifecycle\nok credentials: static\nok issuer keys: https://login.test/ loaded\nok policy: version VERSION, 1 rule\nok service keys: of this process only\nok limiter: in memory\nok storage\nok clock: within limits\nok log output: written\n',
  );
  // The public probe names only the failed checks.
  expect(await (await fetch(`${service.url}/readyz`)).text()).toBe(details.replace(/:.*$/gm, ''));
  expect((await fetch(`${metricsAddress}/v1/policy`)).status).toBe(404);
});
