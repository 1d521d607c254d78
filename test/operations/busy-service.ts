import { policyWith, testIssuerEntry } from '../support/policies.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';

export type Surroundings = {
  /** Trusts an issuer whose keys can be fetched, and one whose keys cannot. */
  readonly policyYaml: string;
  readonly issuer: TestIssuer;
  readonly brokenIssuer: TestIssuer;
  /** Returns credentials that expire one hour after `now`. */
  readonly credentialsUri: string;
};

/** Starts the servers that a service needs, over real HTTP, until the test ends. */
export async function startSurroundings(now: Date): Promise<Surroundings> {
  const issuer = createTestIssuer();
  const brokenIssuer = createTestIssuer({ issuer: 'https://broken.test/' });
  const keys = json(issuer.jwks);
  const credentials = json({
    Code: 'Success',
    AccessKeyId: 'STS.TestKey',
    AccessKeySecret: 'TestSecret0123456789',
    SecurityToken: 'TheSessionToken',
    Expiration: new Date(now.getTime() + 3_600_000).toISOString().replace(/\.\d+Z$/, 'Z'),
  });
  const broken = json({}, 500);
  const { origin } = await startTestServer((request, response) => {
    const respond = { '/keys': keys, '/credentials': credentials }[request.url ?? ''] ?? broken;
    respond(request, response);
  });
  const policyYaml = policyWith({
    issuers: [
      testIssuerEntry({ jwksFile: undefined, jwksUrl: `${origin}/keys` }),
      testIssuerEntry({
        issuer: brokenIssuer.issuer,
        jwksFile: undefined,
        jwksUrl: `${origin}/broken`,
      }),
    ],
  });
  return { policyYaml, issuer, brokenIssuer, credentialsUri: `${origin}/credentials` };
}

/**
 * Makes one request of each kind: granted, denied, without a valid token, and with an issuer whose
 * keys cannot be fetched.
 * @returns their statuses.
 */
export async function makeRequests(
  url: string,
  { issuer, brokenIssuer }: Surroundings,
  now: Date,
): Promise<readonly number[]> {
  const claims = { exp: now.getTime() / 1000 + 600 };
  const photo = { key: 'users/alice/photo.png', contentType: 'image/png', contentLength: 1 };
  const requests = [
    { token: await issuer.sign(claims), body: photo },
    { token: await issuer.sign(claims), body: { ...photo, contentLength: 2 ** 21 } },
    { token: 'none', body: photo },
    { token: await brokenIssuer.sign(claims), body: photo },
  ];
  const statuses: number[] = [];
  for (const { token, body } of requests) {
    const response = await fetch(`${url}/v1/uploads`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await response.arrayBuffer();
    statuses.push(response.status);
  }
  return statuses;
}
