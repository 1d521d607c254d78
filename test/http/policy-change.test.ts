import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, vi } from 'vitest';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { createTestApp, policyFrom, storageOf } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

it('decides a request by the policy under which it began', async () => {
  const issuer = createTestIssuer();
  const activeWith = (yaml: string) => {
    const policy = policyFrom(yaml, issuer);
    const keySources = createKeySources({ clock: fixedClock, fetch });
    return {
      policy,
      storage: storageOf(policy),
      verifier: createTokenVerifier({ issuers: policy.issuers, clock: fixedClock, keySources }),
    };
  };
  let current = activeWith(policyWith());
  const active = vi.fn(() => current);
  const { app } = await createTestApp({ active });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const body = JSON.stringify({ key: 'users/alice/a.png', contentType: 'image/png', contentLength: 1 });
  const ask = async () => {
    const open = request({
      port: (app.server.address() as AddressInfo).port,
      path: '/v1/uploads',
      method: 'POST',
      headers: {
        authorization: `Bearer ${await issuer.sign()}`,
        'content-type': 'application/json',
        'content-length': body.length,
      },
    });
    open.flushHeaders();
    const responded = once(open, 'response');
    return {
      finish: async () => {
        open.end(body);
        const [response] = await responded;
        return response.resume().statusCode;
      },
    };
  };

  const before = await ask();
  await vi.waitFor(() => expect(active).toHaveBeenCalledTimes(1));
  current = activeWith(policyWith({ rules: [ownFilesRule({ prefix: 'people/{sub}/' })] }));
  expect(await before.finish()).toBe(201);
  expect(await (await ask()).finish()).toBe(403);
});
