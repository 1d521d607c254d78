import { createServer } from 'node:http';
import { expect, it, onTestFinished, vi } from 'vitest';
import { testPolicyYaml } from './support/test-app.ts';
import { startTestService } from './support/test-service.ts';
import { createTestIssuer, type TestIssuer } from './support/tokens.ts';

/** A server of keys that answers what it is told to. */
async function startKeyServer(status: number, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status).end(body)).listen(
    0,
    '127.0.0.1',
  );
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/jwks`;
}

const policyWith = (jwksUrl: string) =>
  testPolicyYaml().replace('jwksFile: jwks.json', `jwksUrl: ${jwksUrl}`);
const readiness = async (url: string) => {
  const answer = await fetch(`${url}/readyz`);
  return [answer.status, (await answer.text()).split('\n').find((line) => line.includes('issuer keys'))];
};

it('becomes ready by itself once the keys of its issuer are there', async () => {
  const issuer = createTestIssuer();
  const service = await startTestService({
    issuer,
    policyYaml: policyWith(await startKeyServer(200, JSON.stringify(issuer.jwks))),
  });
  await vi.waitFor(async () =>
    expect(await readiness(service.url)).toStrictEqual([200, 'ok issuer keys: https://login.test/ loaded']),
  );
  const answer = await fetch(`${service.url}/v1/policy`, {
    headers: { authorization: `Bearer ${await issuer.sign()}` },
  });
  expect(answer.status).toBe(200);
});

it('is not ready while no issuer’s keys can be had, and says why in the log', async () => {
  const service = await startTestService({ policyYaml: policyWith(await startKeyServer(500, 'no')) });
  await vi.waitFor(() => expect(service.log.join('')).toContain('the keys of the issuer cannot be fetched'));
  expect(await readiness(service.url)).toStrictEqual([
    503,
    'FAILED issuer keys: https://login.test/ not loaded',
  ]);
  expect((await fetch(`${service.url}/livez`)).status).toBe(200);
});

it('tells an operator of a claim that callers of several issuers could share', async () => {
  const policyYaml = testPolicyYaml().replace(
    'issuers:',
    'issuers:\n  - { issuer: https://other.test/, audience: uploads, jwksFile: jwks.json }',
  );
  const service = await startTestService({ policyYaml });
  expect(service.log.join('')).toContain('a claim is unique only within one (RFC 7519 4.1.2)');
});

it('takes over the issuers of a new policy, and drops those it no longer names', async () => {
  const [before, after] = [createTestIssuer(), createTestIssuer({ issuer: 'https://new-login.test/' })];
  const policyOf = async (issuer: TestIssuer, keysUrl: string) =>
    testPolicyYaml({ issuer: issuer.issuer }).replace('jwksFile: jwks.json', `jwksUrl: ${keysUrl}`);
  const keysOf = (issuer: TestIssuer) => startKeyServer(200, JSON.stringify(issuer.jwks));
  const service = await startTestService({ policyYaml: await policyOf(before, await keysOf(before)) });
  const statusFor = async (issuer: TestIssuer) => {
    const headers = { authorization: `Bearer ${await issuer.sign()}` };
    return (await fetch(`${service.url}/v1/policy`, { headers })).status;
  };
  expect([await statusFor(before), await statusFor(after)]).toStrictEqual([200, 401]);

  service.replacePolicy(await policyOf(after, await keysOf(after)));
  expect([await statusFor(before), await statusFor(after)]).toStrictEqual([401, 200]);
});
