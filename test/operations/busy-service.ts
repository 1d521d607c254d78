import { policyWith, testIssuerEntry } from '../support/policies.ts';
import { json, startTestServer } from '../support/test-server.ts';
import { createTestIssuer, type TestIssuer } from '../support/tokens.ts';

export type Surroundings = {
  /** Believes an issuer whose keys can be fetched, and one whose keys cannot. */
  readonly policyYaml: string;
  readonly issuer: TestIssuer;
  readonly brokenIssuer: TestIssuer;
  /** Answers as a source of credentials that end an hour after the instant. */
  readonly credentialsUri: string;
};

/** What a service stands on, over real HTTP, until the test ends. */
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
    const answer = { '/keys': keys, '/credentials': credentials }[request.url ?? ''] ?? broken;
    answer(request, response);
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

/** One request of each kind: granted, denied, without a token, and one that cannot be answered for want of keys. Answers with the statuses. */
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
    const answer = await fetch(`${url}/v1/uploads`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    await answer.arrayBuffer();
    statuses.push(answer.status);
  }
  return statuses;
}
