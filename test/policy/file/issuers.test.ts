import { describe, expect, it } from 'vitest';
import { MULTI_TENANT_ISSUER } from '../../../src/auth/issuer.ts';
import { parsePolicy } from '../../../src/policy/file/parse-policy.ts';

const SECRET = '0123456789abcdef0123456789abcdef';
const JWKS = JSON.stringify({ keys: [{ kty: 'EC', kid: 'k', crv: 'P-256', x: 'x', y: 'y' }] });
const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const OTHER_TENANT = '72f988bf-86f1-41af-91ab-2d7cd011db47';
const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;

type Texts = Readonly<Record<string, string>>;

/** A policy with these entries of `issuers`, each given as its members in YAML's flow style. */
function parse(
  entries: readonly string[],
  {
    env = {},
    files = {},
    target = '',
    who = 'scope: up',
    prefix = 'users/{sub}/',
  }: { env?: Texts; files?: Texts; target?: string; who?: string; prefix?: string } = {},
) {
  const text = `issuers:
${entries.map((entry) => `  - { ${entry} }`).join('\n')}
targets: { media: { bucket: acme-media, region: cn-hangzhou${target} } }
rules:
  - { name: own, who: { ${who} }, target: media, prefix: '${prefix}', contentTypes: [image/png], maxSize: 1MiB }
`;
  return parsePolicy(text, {
    env,
    readFile: (path) => {
      const content = { 'jwks.json': JWKS, ...files }[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}

function policyOf(...args: Parameters<typeof parse>) {
  const parsed = parse(...args);
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy;
}

function faultsOf(...args: Parameters<typeof parse>): readonly string[] {
  const parsed = parse(...args);
  return 'faults' in parsed ? parsed.faults.map(({ path, detail }) => `${path}: ${detail}`) : [];
}

const HTTPS = 'issuer: https://login.example.com/, audience: up';
const plainHttp = (path: string) =>
  `${path}: uses plain http; use https://, or set insecureHttp: true next to it. Without that, http:// is accepted only for localhost, ` +
  '*.localhost, and loopback, private, link-local and unique-local IP addresses';

describe('plain http', () => {
  const ACCEPTED = [
    ...[
      'http://localhost:8080/jwks',
      'http://LOCALHOST/jwks',
      'http://auth.localhost/jwks',
      'http://127.0.0.1/jwks',
    ],
    ...[
      'http://127.255.255.254/jwks',
      'http://127.1/jwks',
      'http://2130706433/jwks',
      'http://0x7f000001/jwks',
    ],
    ...[
      'http://017700000001/jwks',
      'http://[::1]:8080/jwks',
      'http://[::ffff:127.0.0.1]/jwks',
      'http://10.0.0.1/jwks',
    ],
    ...[
      'http://10.255.255.255/jwks',
      'http://172.16.0.1/jwks',
      'http://172.31.255.255/jwks',
      'http://192.168.0.1/jwks',
    ],
    ...[
      'http://169.254.1.1/jwks',
      'http://[fe80::1]/jwks',
      'http://[fd12:3456::1]/jwks',
      'http://[::ffff:10.1.2.3]/jwks',
    ],
    ...['https://login.example.com/jwks', 'https://8.8.8.8/jwks', 'https://keycloak:8443/jwks'],
  ];
  const NEEDS_FLAG: readonly (readonly [string, string])[] = [
    ['http://8.8.8.8/jwks', '8.8.8.8'],
    ['http://134744072/jwks', '8.8.8.8'],
    ['http://203.0.113.5/jwks', '203.0.113.5'],
    ['http://172.15.255.255/jwks', '172.15.255.255'],
    ['http://172.32.0.1/jwks', '172.32.0.1'],
    ['http://192.169.0.1/jwks', '192.169.0.1'],
    ['http://11.0.0.1/jwks', '11.0.0.1'],
    ['http://126.255.255.255/jwks', '126.255.255.255'],
    ['http://100.64.0.1/jwks', '100.64.0.1'],
    ['http://0.0.0.0/jwks', '0.0.0.0'],
    ['http://0/jwks', '0.0.0.0'],
    ['http://[2001:db8::1]/jwks', '[2001:db8::1]'],
    ['http://[2400:3200::1]/jwks', '[2400:3200::1]'],
    ['http://[::]/jwks', '[::]'],
    ['http://[::ffff:8.8.8.8]/jwks', '[::ffff:808:808]'],
    ['http://[64:ff9b::a00:1]/jwks', '[64:ff9b::a00:1]'],
    ['http://demo:8090/jwks', 'demo'],
    ['http://keycloak.auth:8080/jwks', 'keycloak.auth'],
    ['http://keycloak.auth.svc:8080/jwks', 'keycloak.auth.svc'],
    ['http://keycloak.auth.svc.cluster.local/jwks', 'keycloak.auth.svc.cluster.local'],
    ['http://host.docker.internal:8080/jwks', 'host.docker.internal'],
    ['http://sso.corp/jwks', 'sso.corp'],
    ['http://sso.lan/jwks', 'sso.lan'],
    ['http://idp.test/jwks', 'idp.test'],
    ['http://login.example.com/jwks', 'login.example.com'],
    ['http://localhost.example.com/jwks', 'localhost.example.com'],
    ['http://notlocalhost/jwks', 'notlocalhost'],
    ['http://127.0.0.1.example.com/jwks', '127.0.0.1.example.com'],
    ['http://10.0.0.1.nip.io/jwks', '10.0.0.1.nip.io'],
    // These letters are full-width: the parser turns them into a public name.
    ['http://ｌogin.example.com/jwks', 'login.example.com'],
  ];

  it.each(ACCEPTED)('is not asked about for %s', (url) => {
    expect(faultsOf([`${HTTPS}, jwksUrl: '${url}'`])).toStrictEqual([]);
    expect(policyOf([`${HTTPS}, jwksUrl: '${url}'`]).warnings).toStrictEqual([]);
  });

  it.each(NEEDS_FLAG)('to %s (%s) needs insecureHttp', (url, host) => {
    expect(new URL(url).hostname).toBe(host);
    expect(faultsOf([`${HTTPS}, jwksUrl: '${url}'`])).toStrictEqual([plainHttp('issuers[0].jwksUrl')]);
    expect(policyOf([`${HTTPS}, jwksUrl: '${url}', insecureHttp: true`]).warnings).toStrictEqual([
      `The verification keys of https://login.example.com/ travel over plain http to ${new URL(url).host} (insecureHttp): anyone who controls that name or network can replace them.`,
    ]);
  });

  it('follows the same rule for discovery', () => {
    expect(faultsOf(['issuer: http://login.example.com/, audience: up'])).toStrictEqual([
      `${plainHttp('issuers[0].issuer')}; OpenID discovery uses it, because no other source of keys is set`,
    ]);
    expect(
      faultsOf(["issuer: 'http://keycloak:8080/realms/acme', audience: up, insecureHttp: true"]),
    ).toStrictEqual([]);
    expect(faultsOf(["issuer: 'http://10.0.0.1/realms/acme', audience: up"])).toStrictEqual([]);
  });

  it('does not need insecureHttp for an issuer whose keys come from elsewhere', () => {
    expect(
      faultsOf([`issuer: 'http://keycloak:8080/', audience: up, jwksUrl: https://10.0.0.1/jwks`]),
    ).toStrictEqual([]);
    expect(faultsOf([`issuer: 'http://keycloak:8080/', audience: up, jwksFile: jwks.json`])).toStrictEqual(
      [],
    );
  });

  it.each([
    ['http://localhost:9000', []],
    ['http://[::1]:9000', []],
    ['http://192.168.1.9:9000', []],
    ['http://emulator:9000', ['emulator']],
    ['http://minio.storage.svc:9000', ['minio.storage.svc']],
    ['http://upload.example.com', ['upload.example.com']],
    ['http://8.8.8.8:9000', ['8.8.8.8']],
  ] as const)('follows the same rule for the endpoint %s', (endpoint, hosts) => {
    const entry = `${HTTPS}, jwksFile: jwks.json`;
    expect(faultsOf([entry], { target: `, endpoint: '${endpoint}'` })).toStrictEqual(
      hosts.map(() => plainHttp('targets.media.endpoint')),
    );
    expect(
      policyOf([entry], { target: `, endpoint: '${endpoint}', insecureHttp: true` }).warnings,
    ).toHaveLength(hosts.length);
  });

  it.each([
    'ftp://login.example.com/jwks',
    'login.example.com/jwks',
    '/jwks',
    'file:///jwks',
    'http://',
    'javascript:1',
    'data:,x',
  ])('does not help for %s, which is not an address', (url) => {
    for (const flag of [false, true])
      expect(faultsOf([`${HTTPS}, jwksUrl: '${url}', insecureHttp: ${flag}`])).toStrictEqual([
        'issuers[0].jwksUrl: must be an https:// address',
      ]);
  });
});

describe('a secret', () => {
  const entry = `${HTTPS}, secretEnv: JWT_SECRET`;
  const inFile = `${HTTPS}, secretFile: secret`;
  const bytes = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 251) % 256));

  it.each([
    ['begins or ends with a blank or a line break; remove it', `${SECRET}\n`],
    ['begins or ends with a blank or a line break; remove it', `${SECRET}\r\n`],
    ['begins or ends with a blank or a line break; remove it', `\n${SECRET}`],
    ['begins or ends with a blank or a line break; remove it', `${SECRET} `],
    ['begins or ends with a blank or a line break; remove it', ` ${SECRET}`],
    ['begins or ends with a blank or a line break; remove it', `\t${SECRET}`],
    ['begins or ends with a blank or a line break; remove it', `${SECRET}\u00a0`],
    ['begins or ends with a blank or a line break; remove it', `\ufeff${SECRET}`],
    ['has quotes around it, which would be part of the secret; remove them', `"${SECRET}"`],
    ['has quotes around it, which would be part of the secret; remove them', `'${SECRET}'`],
    ['has quotes around it, which would be part of the secret; remove them', `\`${SECRET}\``],
    ['contains a line break or another control character', `${SECRET}\n${SECRET}`],
    ['contains a line break or another control character', `${SECRET}\u0000${SECRET}`],
    ['is not UTF-8 text; encode the bytes and set secretEncoding: base64', `${SECRET}\ufffd`],
    ['is empty', '   \n'],
    ['holds 31 bytes; HS256 needs at least 32', SECRET.slice(1)],
    ['holds more than 4096 characters', SECRET.repeat(200)],
    ['is too easy to guess: it consists of fewer than 6 different bytes', 's'.repeat(32)],
    ['is too easy to guess: it consists of fewer than 6 different bytes', '0'.repeat(64)],
    ['is too easy to guess: it consists of fewer than 6 different bytes', 'abcde'.repeat(10)],
  ])('that %s is rejected by the name of the variable or file, never its value: %j', (fault, secret) => {
    const faults = faultsOf([entry], { env: { JWT_SECRET: secret } });
    expect(faults).toStrictEqual([`issuers[0].secretEnv: names JWT_SECRET, which ${fault}`]);
    expect(faults.join()).not.toContain(SECRET.slice(0, 16));
  });

  it.each([
    ['set to nothing', { JWT_SECRET: '' }],
    ['not set', {}],
  ])('that is %s is rejected', (_, env: Texts) => {
    expect(faultsOf([entry], { env })).toStrictEqual([
      'issuers[0].secretEnv: names the environment variable JWT_SECRET, which is not set',
    ]);
  });

  it.each([
    ['with quotes inside', `a"b'c${SECRET}`],
    ['with a quote at one end', `"${SECRET}`],
    ['with blanks inside', 'correct horse battery staple, and again'],
    ['of other scripts', '正确的马电池订书钉正确的马'],
    ['of digits', '31415926535897932384626433832795'],
  ])('%s is used unchanged', (_, secret) => {
    expect(policyOf([entry], { env: { JWT_SECRET: secret } }).issuers[0]?.secret).toStrictEqual(
      new TextEncoder().encode(secret),
    );
  });

  it.each([
    ['unchanged', SECRET],
    ['with a line break at its end', `${SECRET}\n`],
    ['with the line break of Windows', `${SECRET}\r\n`],
    ['with a byte order mark', `\ufeff${SECRET}\n`],
  ])('is read from a file %s', (_, content) => {
    const [issuer] = policyOf([inFile], { files: { secret: content } }).issuers;
    expect(issuer).toStrictEqual({
      issuer: 'https://login.example.com/',
      audience: ['up'],
      secret: new TextEncoder().encode(SECRET),
      algorithms: ['HS256'],
    });
  });

  it.each([
    ['is not there', undefined, 'cannot be read (ENOENT): secret'],
    ['is empty', '', 'names secret, which is empty'],
    [
      'has typographic quotes around the secret',
      `“${SECRET}”`,
      'names secret, which has quotes around it, which would be part of the secret; remove them',
    ],
    [
      'ends in an invisible character',
      `${SECRET}\u200b`,
      'names secret, which contains an invisible character, such as U+200B; remove it',
    ],
    ['is a line break', '\n', 'names secret, which is empty'],
    [
      'has two line breaks at its end',
      `${SECRET}\n\n`,
      'names secret, which begins or ends with a blank or a line break; remove it',
    ],
    [
      'has quotes around the secret',
      `"${SECRET}"\n`,
      'names secret, which has quotes around it, which would be part of the secret; remove them',
    ],
    [
      'is not text',
      bytes.toString('utf8'),
      expect.stringMatching(/^names secret, which (is not UTF-8 text|contains)/),
    ],
  ])('is rejected if the file %s', (_, content, fault) => {
    const faults = parse([inFile], content === undefined ? {} : { files: { secret: content } });
    expect('faults' in faults && faults.faults).toMatchObject([
      { path: 'issuers[0].secretFile', detail: fault },
    ]);
  });

  it.each([
    ['base64', bytes.toString('base64')],
    ['base64', Buffer.concat([bytes, bytes.subarray(1)]).toString('base64')],
    ['base64url', bytes.toString('base64url')],
    ['base64url', `${bytes.toString('base64url')}=`],
  ])('is decoded from %s: %s', (encoding, text) => {
    const secret = Buffer.from(text, 'base64');
    const encoded = `${entry}, secretEncoding: ${encoding}`;
    expect(
      Buffer.from(policyOf([encoded], { env: { JWT_SECRET: text } }).issuers[0]?.secret ?? []),
    ).toStrictEqual(secret);
  });

  it.each([
    ['base64', bytes.toString('base64url'), 'is not base64, which secretEncoding requires'],
    ['base64', bytes.toString('base64').replace(/=+$/, ''), 'is not base64, which secretEncoding requires'],
    [
      'base64',
      `${bytes.toString('base64').slice(0, 20)} ${bytes.toString('base64').slice(20)}`,
      'is not base64, which secretEncoding requires',
    ],
    ['base64', SECRET.slice(0, 31), 'is not base64, which secretEncoding requires'],
    ['base64url', bytes.toString('base64'), 'is not base64url, which secretEncoding requires'],
    ['base64url', `${bytes.toString('base64url')}*`, 'is not base64url, which secretEncoding requires'],
    ['base64', bytes.subarray(1).toString('base64'), 'holds 31 bytes once decoded; HS256 needs at least 32'],
    ['base64', `${bytes.toString('base64')}\n`, 'begins or ends with a blank or a line break; remove it'],
    [
      'base64',
      Buffer.alloc(32).toString('base64'),
      'is too easy to guess: it consists of fewer than 6 different bytes',
    ],
  ])('as %s is decoded strictly: %j', (encoding, text, fault) => {
    expect(faultsOf([`${entry}, secretEncoding: ${encoding}`], { env: { JWT_SECRET: text } })).toStrictEqual([
      `issuers[0].secretEnv: names JWT_SECRET, which ${fault}`,
    ]);
  });

  it('is named once, and its encoding only with it', () => {
    const env = { JWT_SECRET: SECRET };
    expect(faultsOf([`${entry}, secretFile: secret`], { env, files: { secret: SECRET } })).toStrictEqual([
      'issuers[0]: has secretEnv and secretFile; at most one of them may be set',
    ]);
    expect(faultsOf([`${HTTPS}, jwksFile: jwks.json, secretEncoding: base64`])).toStrictEqual([
      'issuers[0].secretEncoding: needs secretEnv or secretFile',
    ]);
  });
});

describe('a secret next to published keys', () => {
  const env = { JWT_SECRET: SECRET };
  const both = `${HTTPS}, jwksFile: jwks.json, secretEnv: JWT_SECRET`;

  it('is for HS256 only, and the keys are for the asymmetric algorithms only', () => {
    expect(policyOf([`${both}, algorithms: [ES256, HS256]`], { env }).issuers[0]).toStrictEqual({
      issuer: 'https://login.example.com/',
      audience: ['up'],
      keys: { kind: 'jwks', jwks: JSON.parse(JWKS) },
      secret: new TextEncoder().encode(SECRET),
      algorithms: ['ES256', 'HS256'],
    });
  });

  const BOTH = 'must list HS256 for the secret and an asymmetric algorithm for the published keys';
  it.each([
    ['no algorithms', both, BOTH],
    ['HS256 alone', `${both}, algorithms: [HS256]`, BOTH],
    ['an asymmetric algorithm alone', `${both}, algorithms: [ES256]`, BOTH],
    [
      'an asymmetric algorithm without published keys',
      `${HTTPS}, secretEnv: JWT_SECRET, algorithms: [ES256, HS256]`,
      'must be [HS256] if there is a secret only; for others set jwksUrl or jwksFile as well',
    ],
    [
      'HS256 without a secret',
      `${HTTPS}, jwksFile: jwks.json, algorithms: [ES256, HS256]`,
      'may list HS256 only if secretEnv or secretFile is set',
    ],
  ])('is rejected with %s', (_, entry, fault) => {
    expect(faultsOf([entry], { env })).toStrictEqual([`issuers[0].algorithms: ${fault}`]);
  });

  it('does not make two sources of published keys one', () => {
    expect(
      faultsOf([`${HTTPS}, jwksFile: jwks.json, jwksUrl: https://login.example.com/jwks`]),
    ).toStrictEqual(['issuers[0]: has jwksUrl and jwksFile; at most one of them may be set']);
  });
});

describe('an issuer for several tenants', () => {
  const entry = `issuer: '${MULTI_TENANT_ISSUER}', audience: up`;
  const listed = `${entry}, tenants: [${TENANT}, ${OTHER_TENANT.toUpperCase()}]`;

  it('lists its tenants, in lower case', () => {
    expect(policyOf([listed], { prefix: 'users/{tid}/{sub}/' })).toMatchObject({
      issuers: [
        { issuer: MULTI_TENANT_ISSUER, tenants: [TENANT, OTHER_TENANT], keys: { kind: 'discovery' } },
      ],
      warnings: [],
    });
  });

  it.each([
    ['no tenants', entry, 'issuers[0].tenants: is missing: list the IDs of the tenants that are trusted'],
    ['an empty list', `${entry}, tenants: []`, 'issuers[0].tenants: must name at least one tenant'],
    [
      'a tenant by name',
      `${entry}, tenants: [contoso.com]`,
      'issuers[0].tenants[0]: must be a tenant ID (a GUID)',
    ],
    ['a pattern', `${entry}, tenants: ['*']`, 'issuers[0].tenants[0]: must be a tenant ID (a GUID)'],
    [
      'a tenant twice',
      `${entry}, tenants: [${TENANT}, ${TENANT.toUpperCase()}]`,
      'issuers[0].tenants: names a tenant twice',
    ],
    [
      'another issuer',
      `${HTTPS}, tenants: [${TENANT}]`,
      `issuers[0].tenants: needs the issuer ${MULTI_TENANT_ISSUER}`,
    ],
  ])('is rejected with %s', (_, text, fault) => {
    expect(faultsOf([text])).toStrictEqual([fault]);
  });

  it.each(['common/v2.0', 'organizations/v2.0', 'consumers/v2.0', 'common', 'common/'])(
    'is what has to stand in place of …/%s',
    (path) => {
      expect(faultsOf([`issuer: https://login.microsoftonline.com/${path}, audience: a`])).toStrictEqual([
        `issuers[0].issuer: is the issuer of no token, because each tenant has its own; use ${MULTI_TENANT_ISSUER} with tenants, or the issuer of one tenant`,
      ]);
    },
  );

  it.each([
    'https://login.microsoftonline.com/{tenant}/v2.0',
    'https://login.microsoftonline.com/{tenantid}/',
    'https://sts.windows.net/{tenantid}/',
    'https://login.example.com/}',
    'https://login.example.com/{',
    'https://{sub}.example.com/',
  ])('is the only one with braces: %s', (issuer) => {
    for (const source of ['jwksFile: jwks.json', 'jwksUrl: https://login.example.com/jwks'])
      expect(faultsOf([`issuer: '${issuer}', audience: up, ${source}`])).toStrictEqual([
        `issuers[0].issuer: must not contain "{" or "}", because no token has such an issuer; possible is ${MULTI_TENANT_ISSUER} with tenants`,
      ]);
  });

  it('may be named by a rule as a whole or by one tenant, and by no other', () => {
    const named = (issuer: string) => faultsOf([listed], { who: `issuer: '${issuer}'` });
    expect(named(MULTI_TENANT_ISSUER)).toStrictEqual([]);
    expect(named(issuerOf(TENANT))).toStrictEqual([]);
    expect(named(issuerOf(OTHER_TENANT))).toStrictEqual([]);
    expect(named(issuerOf('00000000-0000-0000-0000-000000000000'))).toHaveLength(1);
  });

  it('does not share a tenant with another entry', () => {
    const single = `issuer: '${issuerOf(TENANT)}', audience: up`;
    for (const entries of [
      [listed, single],
      [single, listed],
    ])
      expect(faultsOf(entries)).toStrictEqual([
        `issuers[1].issuer: is used twice: two entries would accept tokens of ${issuerOf(TENANT)}`,
      ]);
  });

  it('warns of a prefix that callers of several tenants share', () => {
    const warnings = (who: string, prefix: string) => policyOf([listed], { who, prefix }).warnings.length;
    expect(warnings('scope: up', 'users/{oid}/')).toBe(1);
    expect(warnings(`issuer: '${MULTI_TENANT_ISSUER}'`, 'users/{oid}/')).toBe(1);
    expect(warnings(`issuer: '${issuerOf(TENANT)}'`, 'users/{oid}/')).toBe(0);
    expect(warnings('scope: up', 'users/{tid}/{oid}/')).toBe(0);
  });
});

describe('an issuer’s other fields', () => {
  const entry = `${HTTPS}, jwksFile: jwks.json`;

  it('are returned, with durations in seconds', () => {
    const text = `${entry}, audienceClaim: client_id, maxStale: 90m, clockTolerance: 2m`;
    expect(policyOf([text]).issuers[0]).toMatchObject({
      audienceClaim: 'client_id',
      maxStaleSeconds: 5_400,
      clockToleranceSeconds: 120,
    });
  });

  it.each([
    ['clockTolerance: 0', { clockToleranceSeconds: 0 }],
    ['clockTolerance: 0s', { clockToleranceSeconds: 0 }],
    ['clockTolerance: 120', { clockToleranceSeconds: 120 }],
    ['maxStale: 10m', { maxStaleSeconds: 600 }],
    ['maxStale: 30d', { maxStaleSeconds: 2_592_000 }],
  ])('may have the value of their bounds: %s', (field, expected) => {
    expect(policyOf([`${entry}, ${field}`]).issuers[0]).toMatchObject(expected);
  });

  const STALE = 'must be a duration from 10m to 30d, such as 24h';
  const TOLERANCE = 'must be a duration from 0s to 120s, such as 30s';
  it.each([
    ['maxStale: 9m', `issuers[0].maxStale: ${STALE}`],
    ['maxStale: 31d', `issuers[0].maxStale: ${STALE}`],
    ['maxStale: 0', `issuers[0].maxStale: ${STALE}`],
    ['maxStale: never', `issuers[0].maxStale: ${STALE}`],
    ['clockTolerance: 121s', `issuers[0].clockTolerance: ${TOLERANCE}`],
    ['clockTolerance: 3m', `issuers[0].clockTolerance: ${TOLERANCE}`],
    ['clockTolerance: -1', `issuers[0].clockTolerance: ${TOLERANCE}`],
    ['clockTolerance: 30 seconds', `issuers[0].clockTolerance: ${TOLERANCE}`],
    ["audienceClaim: ''", 'issuers[0].audienceClaim: must not be empty'],
    [
      'audienceClaim: /client/id',
      'issuers[0].audienceClaim: must be the name of a claim, such as client_id; a JSON pointer is not possible here',
    ],
    ...['iss', 'sub', 'exp', 'iat', 'nbf', 'jti'].map((claim) => [
      `audienceClaim: ${claim}`,
      'issuers[0].audienceClaim: must be a claim that names for whom the token is, such as aud, client_id or azp',
    ]),
  ])('are rejected beyond them: %s', (field, fault) => {
    expect(faultsOf([`${entry}, ${field}`])).toStrictEqual([fault]);
  });
});
