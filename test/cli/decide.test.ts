import { expect, it } from 'vitest';
import { ownFilesRule, policyWith, testIssuerEntry } from '../support/policies.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestApp, GRANT_ID } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

const policyYaml = policyWith({
  rules: [
    ownFilesRule({ transfers: ['put', 'form', 'multipart'], partSize: '100KiB', uploadExpiresIn: '2d' }),
    {
      name: 'exports',
      who: { scope: 'exports:write' },
      target: 'media',
      prefix: 'exports/',
      contentTypes: ['text/csv'],
      maxSize: '1MiB',
    },
  ],
});
const CLAIMS = { iss: 'https://login.test/', sub: 'alice', scope: 'uploads:write' };
const REQUEST = {
  key: 'users/alice/a.png',
  contentType: 'image/png',
  contentLength: 7,
  metadata: { Album: ' 42 ' },
  cacheControl: 'no-cache',
};

async function decide(claims: unknown, request: unknown) {
  const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  return runCli(['decide', '--claims', 'claims.json', '--request', 'request.json'], {
    files: {
      'policy.yaml': policyYaml,
      'jwks.json': JSON.stringify(createTestIssuer().jwks),
      ...(claims !== undefined && { 'claims.json': asText(claims) }),
      ...(request !== undefined && { 'request.json': asText(request) }),
    },
  });
}

/** The command prints a placeholder instead of the id of a grant. */
const withPlaceholder = (response: object) =>
  JSON.parse(JSON.stringify(response).replaceAll(GRANT_ID, '<UUIDv7>'));

it('prints the service’s response to a granted request, without signature and times, and exits with 0', async () => {
  const { code, stdout, stderr } = await decide(CLAIMS, REQUEST);
  expect([code, stderr]).toStrictEqual([0, '']);
  const { outcome, rule, rules, ...response } = JSON.parse(stdout);
  expect([outcome, rule]).toStrictEqual(['granted', 'own-files']);
  expect(rules).toStrictEqual([
    { rule: 'own-files', reasons: [] },
    {
      rule: 'exports',
      reasons: [
        { pointer: '', code: 'no_matching_rule', detail: 'The token lacks the scope "exports:write".' },
      ],
    },
  ]);
  const real = (await (await createTestApp({ policyYaml })).post(REQUEST, CLAIMS)).body;
  const { method, url, id, idExpiresAt, expiresAt, serverTime, ...unsigned } = real;
  expect(response).toStrictEqual(withPlaceholder(unsigned));
  expect([method, typeof url, typeof expiresAt, typeof serverTime]).toStrictEqual([
    'PUT',
    'string',
    'string',
    'string',
  ]);
});

it('prints the parts of a multipart upload', async () => {
  const { cacheControl: _, ...request } = { ...REQUEST, transfer: 'multipart', contentLength: 250_000 };
  const { code, stdout } = await decide(CLAIMS, request);
  const { rules: _rules, ...granted } = JSON.parse(stdout);
  expect([code, granted]).toStrictEqual([
    0,
    {
      outcome: 'granted',
      rule: 'own-files',
      key: 'users/alice/a.png',
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      target: 'media',
      transfer: 'multipart',
      partSize: 102_400,
      partCount: 3,
      contentLength: 250_000,
      expires: 172_800,
      expiresLimitedBy: 'rule',
    },
  ]);
  const denied = await decide(CLAIMS, { ...request, contentLength: 2 * 1024 ** 2 });
  expect([denied.code, JSON.parse(denied.stdout).violations]).toMatchObject([1, [{ code: 'too_large' }]]);
  const faulty = await decide(CLAIMS, { ...request, expiresIn: 60 });
  expect([faulty.code, faulty.stderr]).toStrictEqual([2, expect.stringContaining('/expiresIn')]);
});

it('prints the fields of a form without those of its signature', async () => {
  const request = { ...REQUEST, transfer: 'form' };
  const { stdout } = await decide(CLAIMS, request);
  const { outcome, rule, rules, fields, ...response } = JSON.parse(stdout);
  expect([outcome, rule]).toStrictEqual(['granted', 'own-files']);
  const real = (await (await createTestApp({ policyYaml })).post(request, CLAIMS)).body;
  const {
    method,
    url,
    fileField,
    fields: signed,
    id,
    idExpiresAt,
    expiresAt,
    serverTime,
    ...unsigned
  } = real;
  expect(response).toStrictEqual(unsigned);
  const signature = [
    'x-oss-signature-version',
    'x-oss-credential',
    'x-oss-date',
    'x-oss-signature',
    'policy',
  ];
  expect(Object.keys(signed)).toStrictEqual(expect.arrayContaining(signature));
  expect(fields).toStrictEqual(
    withPlaceholder(Object.fromEntries(Object.entries(signed).filter(([name]) => !signature.includes(name)))),
  );
});

it('prints the violations and the reasons of every rule for a denied request, and exits with 1', async () => {
  const request = { ...REQUEST, contentType: 'text/html', contentLength: 2 ** 21 };
  const { code, stdout, stderr } = await decide(CLAIMS, request);
  expect([code, stderr]).toStrictEqual([1, '']);
  const { outcome, rules, ...denial } = JSON.parse(stdout);
  expect(outcome).toBe('denied');
  const {
    code: problem,
    detail,
    errors,
  } = (await (await createTestApp({ policyYaml })).post(request, CLAIMS)).body;
  expect(denial).toStrictEqual({ code: problem, detail, violations: errors });
  expect(rules[0]).toStrictEqual({ rule: 'own-files', reasons: errors });
  expect(rules[1].reasons[0].detail).toBe('The token lacks the scope "exports:write".');
});

it('shows where the service inserts an id into a key that it creates', async () => {
  const { key: _, ...request } = REQUEST;
  const { stdout } = await decide(CLAIMS, { ...request, filename: 'Photo.PNG' });
  expect(JSON.parse(stdout).key).toBe('users/alice/<UUIDv7>.png');
});

it('rejects the claims of an issuer that the policy does not name', async () => {
  const { code, stdout } = await decide({ ...CLAIMS, iss: 'https://other.test/' }, REQUEST);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toStrictEqual({
    outcome: 'denied',
    code: 'unauthenticated',
    detail: 'The policy trusts no issuer "https://other.test/"; it names https://login.test/.',
  });
});

it.each([
  ['claims that are not there', undefined, REQUEST, '--claims claims.json cannot be read (ENOENT).'],
  ['claims that are not JSON', '{', REQUEST, '--claims claims.json is not JSON (line 1 column 2).'],
  [
    'claims that are cut off',
    '{\n "iss": "Secr',
    REQUEST,
    '--claims claims.json is not JSON (line 2 column 14).',
  ],
  ['claims that are empty', ' \n', REQUEST, '--claims claims.json is empty.'],
  [
    'claims that are a token',
    'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln\n',
    REQUEST,
    '--claims claims.json holds a token. Write its decoded payload into the file, as JSON.',
  ],
  ['claims that are a text', '"a"', REQUEST, '--claims claims.json is not a JSON object.'],
  ['claims that are a list', [], REQUEST, '--claims claims.json is not a JSON object.'],
  [
    'claims without sub',
    { iss: 'a' },
    REQUEST,
    '--claims claims.json must have "iss" and "sub", both strings that are not empty.',
  ],
  ['a request that is not there', CLAIMS, undefined, '--request request.json cannot be read (ENOENT).'],
  ['a request that is not JSON', CLAIMS, 'a', '--request request.json is not JSON.'],
  ['a request that is a text', CLAIMS, '"a"', '--request request.json The body must be a JSON object.'],
  [
    'a request with an unknown field',
    CLAIMS,
    { ...REQUEST, size: 1 },
    '--request request.json /size: Unknown field "size". Did you mean "contentLength"?',
  ],
])('ends 2 for %s', async (_name, claims, request, fault) => {
  const { code, stdout, stderr } = await decide(claims, request);
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr).toBe(`error: ${fault}\nSee: oss-presign decide --help\n`);
});

it('decides for the tenants of a multi-tenant issuer, and for no other tenant', async () => {
  const tenants = ['72f988bf-86f1-41af-91ab-2d7cd011db47', '8eaef023-2b34-4da1-9baa-8bc8c9d6a490'];
  const issuer = 'https://login.microsoftonline.com/{tenantid}/v2.0';
  const policy = policyWith({
    issuers: [testIssuerEntry({ issuer, tenants: [tenants[0]] })],
    rules: [ownFilesRule({ who: { issuer, scope: 'uploads:write' } })],
  });
  const outcomeFor = async (tenant: string | undefined) => {
    const iss = `https://login.microsoftonline.com/${tenant}/v2.0`;
    const { stdout } = await runCli(['decide', '--claims', 'claims.json', '--request', 'request.json'], {
      files: {
        'policy.yaml': policy,
        'jwks.json': JSON.stringify(createTestIssuer().jwks),
        'claims.json': JSON.stringify({ ...CLAIMS, iss, tid: tenant }),
        'request.json': JSON.stringify({
          key: 'users/alice/a.png',
          contentType: 'image/png',
          contentLength: 7,
        }),
      },
    });
    const { outcome, code } = JSON.parse(stdout);
    return [outcome, code];
  };
  expect(await outcomeFor(tenants[0])).toStrictEqual(['granted', undefined]);
  expect((await outcomeFor(tenants[1]))[1]).toBe('unauthenticated');
});
