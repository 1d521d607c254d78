import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { parsePolicy } from '../../../src/policy/file/parse-policy.ts';

const JWKS = JSON.stringify({ keys: [{ kty: 'EC', kid: 'k', crv: 'P-256', x: 'x', y: 'y' }] });

const GOOD = `issuers:
  - issuer: https://login.example.com/
    audience: uploads
    jwksUrl: https://login.example.com/jwks
    algorithms: [RS256, ES256]
targets:
  media:
    bucket: acme-media
    region: cn-hangzhou
    endpoint: public
rules:
  - name: own-files
    who: { scope: uploads:write, claims: { role: [member, admin] } }
    target: media
    prefix: users/{sub}/
    naming: either
    contentTypes: [image/*, Video/MP4]
    maxSize: 50MiB
    expiresIn: { default: 10m, max: 1h }
    metadata: { allowed: [album], required: [case] }
    overwrite: false
    clientHeaders: [cacheControl]
    headers: { Content-Disposition: attachment, x-oss-traffic-limit: 819200 }
    limits: { requestsPerMinute: 60, bytesPerDay: 5GiB }
`;

const SECRET = '0123456789abcdef0123456789abcdef';

type Env = Readonly<Record<string, string>>;

function parse(text: string, env: Env = {}, files: Env = { 'jwks.json': JWKS }) {
  return parsePolicy(text, {
    env,
    readFile: (path) => {
      const content = files[path];
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      return content;
    },
  });
}

function policyOf(text: string, env: Env = {}, files?: Env) {
  const parsed = parse(text, env, files);
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy;
}

/** Each fault as `line path: detail`. */
function faultsOf(text: string, env: Env = {}, files?: Env): readonly string[] {
  const parsed = parse(text, env, files);
  return 'faults' in parsed
    ? parsed.faults.map(({ line, path, detail }) => `${line} ${path}: ${detail}`)
    : [];
}

/** The good policy with one line put in place of the one that begins alike. */
function withLine(line: string, good = GOOD): string {
  const field = line.slice(0, line.indexOf(':') + 1);
  const changed = good.replace(new RegExp(`^${field}.*$`, 'm'), () => line);
  if (changed === good) throw new Error(`nothing changed: ${line}`);
  return changed;
}

it('reads the whole of a policy', () => {
  const target = {
    name: 'media',
    bucket: 'acme-media',
    region: 'cn-hangzhou',
    endpoint: 'public',
    serviceEndpoint: 'public',
  };
  expect(policyOf(GOOD)).toStrictEqual({
    issuers: [
      {
        issuer: 'https://login.example.com/',
        audience: ['uploads'],
        keys: { kind: 'jwksUrl', url: 'https://login.example.com/jwks' },
        algorithms: ['RS256', 'ES256'],
      },
    ],
    rules: [
      {
        name: 'own-files',
        who: {
          scope: ['uploads:write'],
          claims: [{ claim: { source: 'role', path: ['role'] }, values: ['member', 'admin'], prefixes: [] }],
        },
        target,
        prefix: {
          source: 'users/{sub}/',
          parts: [{ literal: 'users/' }, { claim: { source: 'sub', path: ['sub'] } }, { literal: '/' }],
        },
        naming: 'either',
        keepFilename: false,
        actions: ['upload'],
        transfers: ['put'],
        partSize: 8_388_608,
        uploadExpiresInSeconds: 604_800,
        inline: false,
        receipts: true,
        notify: undefined,
        receiptAudience: undefined,
        receiptExpiresInSeconds: 3600,
        callback: false,
        contentTypes: ['image/*', 'video/mp4'],
        maxSize: 52_428_800,
        expiresIn: { defaultSeconds: 600, maxSeconds: 3600 },
        metadata: { allowed: ['album', 'case'], required: ['case'] },
        overwrite: false,
        clientHeaders: ['cacheControl'],
        headers: { 'Content-Disposition': 'attachment', 'x-oss-traffic-limit': '819200' },
        limits: { requestsPerMinute: 60, bytesPerDay: 5_368_709_120 },
        metadataBytes: 0,
        sharesPrefixWith: [],
      },
    ],
    warnings: [],
  });
});

it('allows nothing by default', () => {
  const policy = policyOf(`
issuers: [{ issuer: https://a.example/, audience: [a, b] }]
targets: { t: { bucket: bkt, region: cn-hangzhou } }
rules: [{ name: r, who: { scope: s }, target: t, prefix: p/, contentTypes: [a/b], maxSize: 1 }]
`);
  expect(policy.issuers[0]).toStrictEqual({
    issuer: 'https://a.example/',
    audience: ['a', 'b'],
    keys: { kind: 'discovery' },
    algorithms: ['RS256', 'ES256', 'EdDSA'],
  });
  expect(policy.rules[0]).toMatchObject({
    target: { endpoint: 'public' },
    naming: 'either',
    expiresIn: { defaultSeconds: 600, maxSeconds: 3600 },
    metadata: { allowed: [], required: [] },
    overwrite: false,
    clientHeaders: [],
    keepFilename: false,
    actions: ['upload'],
    transfers: ['put'],
    inline: false,
    limits: {},
  });
  expect(policy.rules[0]?.headers).toStrictEqual({
    'Cache-Control': 'private, no-cache',
    'Content-Disposition': 'attachment',
  });
});

it.each([
  ['    expiresIn: { max: 5m }', { defaultSeconds: 300, maxSeconds: 300 }],
  ['    expiresIn: { default: 2h }', { defaultSeconds: 7200, maxSeconds: 7200 }],
  ['    expiresIn: { default: 7d, max: 604800 }', { defaultSeconds: 604_800, maxSeconds: 604_800 }],
])('%s', (line, expiresIn) => {
  expect(policyOf(withLine(line)).rules[0]?.expiresIn).toStrictEqual(expiresIn);
});

it.each([
  ['internal', 'internal'],
  ['accelerate', 'accelerate'],
  ['accelerate-overseas', 'accelerate-overseas'],
  ['dualstack', 'dualstack'],
  ['https://upload.example.com', { url: 'https://upload.example.com', addressing: 'cname' }],
  ['https://upload.example.com/', { url: 'https://upload.example.com', addressing: 'cname' }],
  [
    'https://oss-cn-hangzhou.aliyuncs.com',
    { url: 'https://oss-cn-hangzhou.aliyuncs.com', addressing: 'virtual' },
  ],
  [
    'https://acme-media.oss-cn-hangzhou.aliyuncs.com',
    { url: 'https://acme-media.oss-cn-hangzhou.aliyuncs.com', addressing: 'cname' },
  ],
  ['http://127.0.0.1:9000', { url: 'http://127.0.0.1:9000', addressing: 'path' }],
  ['http://localhost:9000', { url: 'http://localhost:9000', addressing: 'path' }],
  ["'http://[::1]:9000'", { url: 'http://[::1]:9000', addressing: 'path' }],
  [
    'http://emulator:9000\n    pathStyle: true\n    insecureHttp: true',
    { url: 'http://emulator:9000', addressing: 'path' },
  ],
])('the endpoint %s', (endpoint, compiled) => {
  expect(policyOf(withLine(`    endpoint: ${endpoint}`)).rules[0]?.target.endpoint).toStrictEqual(compiled);
});

it('takes values from the environment, as text and never as YAML', () => {
  const text = withLine(`    audience: "\${AUDIENCE}"`, withLine(`    maxSize: \${MAX_SIZE}`));
  const policy = policyOf(text, { AUDIENCE: 'a, evil: [x]', MAX_SIZE: '2KiB' });
  expect([policy.issuers[0]?.audience, policy.rules[0]?.maxSize]).toStrictEqual([['a, evil: [x]'], 2048]);
});

it('takes an HS256 secret from the environment, with HS256 alone', () => {
  const text = withLine('    algorithms: [HS256]', withLine('    jwksUrl: x')).replace(
    'jwksUrl: x',
    'secretEnv: THE_SECRET',
  );
  const { secret, keys, algorithms } = policyOf(text, { THE_SECRET: SECRET }).issuers[0] ?? {};
  expect({ secret, keys, algorithms }).toStrictEqual({
    secret: new TextEncoder().encode(SECRET),
    keys: undefined,
    algorithms: ['HS256'],
  });
});

it('takes keys from a file', () => {
  const text = GOOD.replace(/jwksUrl: .*/, 'jwksFile: jwks.json');
  expect(policyOf(text).issuers[0]?.keys).toStrictEqual({ kind: 'jwks', jwks: JSON.parse(JWKS) });
});

it('warns of a claim in a prefix that callers of several issuers share', () => {
  const text = GOOD.replace(
    'issuers:',
    'issuers:\n  - { issuer: https://other.example/, audience: uploads }',
  );
  expect(policyOf(text).warnings).toStrictEqual([
    'Rule own-files puts a claim into its prefix for callers of every issuer; a claim is unique only within one (RFC 7519 4.1.2). Name who.issuer.',
  ]);
  const named = text.replace('who: { scope', 'who: { issuer: https://other.example/, scope');
  expect(policyOf(named).warnings).toStrictEqual([]);
});

it.each<[string, string]>([
  ['    audience: ""', '3 issuers[0].audience: must not be empty'],
  ['    audience:', '3 issuers[0].audience: has no value'],
  ['    audience: 7', '3 issuers[0].audience: must be text or a list, such as uploads or [uploads, photos]'],
  [
    '    algorithms: [rs256]',
    expect.stringMatching(
      /^5 issuers\[0\]\.algorithms\[0\]: must be one of RS256, .*; did you mean "RS256"\?$/,
    ) as unknown as string,
  ],
  ['    bucket: 123', '8 targets.media.bucket: must be text; put quotes around it'],
  ['    naming: auto', '16 rules[0].naming: must be one of client, server, either'],
  ['    naming: Server', '16 rules[0].naming: must be one of client, server, either; did you mean "server"?'],
  ['    contentTypes: text/csv', '17 rules[0].contentTypes: must be a list, such as [text/csv]'],
  [
    '    contentTypes: { a: b }',
    '17 rules[0].contentTypes: must be a list, such as [image/*, application/pdf]',
  ],
  [
    '    expiresIn: [15m]',
    '19 rules[0].expiresIn: must be text or a whole number or a mapping, such as 15m or { default: 10m, max: 1h }',
  ],
  [
    '    expiresIn: soon',
    '19 rules[0].expiresIn: must be a duration of at least one second, such as 90s, 10m or 1h',
  ],
  [
    '    expiresIn: { maximum: 1h }',
    '19 rules[0].expiresIn.maximum: is not a field of the policy file; did you mean "max"?',
  ],
  ['    overwrite: yes', '21 rules[0].overwrite: must be true or false'],
  [
    '    clientHeaders: [cache-control]',
    '22 rules[0].clientHeaders[0]: must be one of cacheControl, contentDisposition, contentEncoding; did you mean "cacheControl"?',
  ],
  [
    '    limits: { requestsPerMinute: "60" }',
    '24 rules[0].limits.requestsPerMinute: must be a whole number without quotes, such as 60',
  ],
  [
    '    limits: { requestPerMinute: 60 }',
    '24 rules[0].limits.requestPerMinute: is not a field of the policy file; did you mean "requestsPerMinute"?',
  ],
  ['    prefix: /users/{sub}/', '15 rules[0].prefix: must not begin with "/"'],
  ['    audience: []', '3 issuers[0].audience: must not be empty'],
  [
    '    jwksUrl: http://login.example.com/jwks',
    '4 issuers[0].jwksUrl: uses plain http; use https://, or set insecureHttp: true next to it. Without that, http:// is accepted only for localhost, *.localhost, and loopback, private, link-local and unique-local IP addresses',
  ],
  [
    '    jwksUrl: https://user:pass@login.example.com/jwks',
    '4 issuers[0].jwksUrl: must be an https:// address without a user name, password or fragment ("#…")',
  ],
  [
    '    algorithms: [HS256]',
    '5 issuers[0].algorithms: may list HS256 only if secretEnv or secretFile is set',
  ],
  ['    algorithms: []', '5 issuers[0].algorithms: must not be empty'],
  [
    '    bucket: Acme_Media',
    '8 targets.media.bucket: must be a bucket name: 3–63 of a-z, 0-9 and "-", no "-" at either end',
  ],
  [
    '    region: oss-cn-hangzhou',
    '9 targets.media.region: must be a region id such as cn-hangzhou, without "oss-" or "-internal"',
  ],
  [
    '    endpoint: ftp://upload.example.com',
    '10 targets.media.endpoint: must be one of public, internal, accelerate, accelerate-overseas, dualstack, or an https:// address such as https://upload.example.com',
  ],
  [
    '    endpoint: http://upload.example.com',
    '10 targets.media.endpoint: uses plain http; use https://, or set insecureHttp: true next to it. Without that, http:// is accepted only for localhost, *.localhost, and loopback, private, link-local and unique-local IP addresses',
  ],
  [
    '    endpoint: https://upload.example.com/path',
    '10 targets.media.endpoint: must be an origin only: scheme, host and port, without a path, query or default port',
  ],
  ['    who: {}', '13 rules[0].who: would match every caller: name at least one of scope, claims and issuer'],
  ['    who: { scope: "" }', '13 rules[0].who.scope: must not be empty'],
  ['    who: { scope: [] }', '13 rules[0].who.scope: must not be empty'],
  [
    '    who: { claims: { realm_access: { roles: [uploader] } } }',
    '13 rules[0].who.claims.realm_access: must be a value or a list of values; write a nested claim as a JSON pointer, such as /realm_access/roles: [uploader]',
  ],
  [
    '    who: { scope: "uploads:read, uploads:write" }',
    '13 rules[0].who.scope: has a comma between scopes; write several as a list, such as [uploads:read, uploads:write]',
  ],
  ['    who: { claims: {} }', '13 rules[0].who.claims: must not be empty'],
  ['    who: { claims: { role: [] } }', '13 rules[0].who.claims.role: must not be empty'],
  [
    '    who: { claims: { role: "*" } }',
    '13 rules[0].who.claims.role: must name values, or a pattern such as eng-*; "*" alone would match every value',
  ],
  [
    '    who: { claims: { role: [a, "*-x"] } }',
    '13 rules[0].who.claims.role: has a "*" that is not at the end; a pattern has one "*", at its end, such as eng-*',
  ],
  [
    '    who: { claims: { role: [a, "x**"] } }',
    '13 rules[0].who.claims.role: has a "*" that is not at the end; a pattern has one "*", at its end, such as eng-*',
  ],
  [
    '    who: { claims: { /a~: b } }',
    '13 rules[0].who.claims./a~: as the name of a claim is a JSON pointer with a "~" that is not part of "~0" (for "~") or "~1" (for "/")',
  ],
  [
    '    who: { claims: { /: b } }',
    '13 rules[0].who.claims./: as the name of a claim is a JSON pointer with an empty name; write it as /realm_access/roles',
  ],
  [
    '    who: { issuer: https://login.example.com }',
    '13 rules[0].who.issuer: names the unknown issuer "https://login.example.com"; known issuers: https://login.example.com/; did you mean "https://login.example.com/"?',
  ],
  ['    target: archive', '14 rules[0].target: names the unknown target "archive"; known targets: media'],
  [
    '    target: medai',
    '14 rules[0].target: names the unknown target "medai"; known targets: media; did you mean "media"?',
  ],
  ['    prefix: users/{sub}', '15 rules[0].prefix: must end in "/"'],
  ['    prefix: /', '15 rules[0].prefix: must not begin with "/"'],
  ['    prefix: ""', '15 rules[0].prefix: must end in "/"'],
  ['    contentTypes: []', '17 rules[0].contentTypes: must name at least one media type'],
  [
    '    contentTypes: ["*"]',
    '17 rules[0].contentTypes[0]: must be a media type such as image/png, or a range such as image/*, without parameters',
  ],
  [
    '    maxSize: 1.5B',
    '18 rules[0].maxSize: must be "unlimited" or a size greater than 0, such as 500KiB, 50MiB or 1GB',
  ],
  [
    '    maxSize: 6GB',
    '18 rules[0].maxSize: must not be more than 5 GiB, the limit of OSS for one PUT; for larger files, add multipart to transfers',
  ],
  [
    '    maxSize: 0',
    '18 rules[0].maxSize: must be "unlimited" or a size greater than 0, such as 500KiB, 50MiB or 1GB',
  ],
  [
    '    expiresIn: { default: 2h, max: 1h }',
    '19 rules[0].expiresIn: has a default that is longer than its max',
  ],
  ['    expiresIn: { max: 8d }', '19 rules[0].expiresIn.max: must not be longer than 7 days (604800 s)'],
  [
    '    expiresIn: { default: 0s }',
    '19 rules[0].expiresIn.default: must be a duration of at least one second, such as 90s, 10m or 1h',
  ],
  [
    '    metadata: { allowed: [Al_bum] }',
    '20 rules[0].metadata.allowed[0]: must be 1–64 characters of a-z, 0-9 and "-"',
  ],
  [
    '    headers: { Host: evil.example }',
    expect.stringMatching(
      /^23 rules\[0\]\.headers\.Host: cannot be added by a rule; possible: cache-control, /,
    ) as unknown as string,
  ],
  [
    '    headers: { Content-Type: text/html }',
    expect.stringMatching(/^23 rules\[0\]\.headers\.Content-Type: cannot be added/) as unknown as string,
  ],
  [
    '    headers: { x-oss-forbid-overwrite: "false" }',
    expect.stringMatching(/cannot be added by a rule/) as unknown as string,
  ],
  [
    '    headers: { x-oss-object-acl: everybody }',
    expect.stringMatching(/^23 rules\[0\]\.headers\.x-oss-object-acl: /) as unknown as string,
  ],
  [
    '    headers: { Expires: "a\\r\\nb: c" }',
    '23 rules[0].headers.Expires: must be printable ASCII, without blanks at its ends, and not empty',
  ],
  ['    headers: { x-oss-meta-a: a, X-Oss-Meta-A: b }', '23 rules[0].headers.X-Oss-Meta-A: is used twice'],
  [
    '    headers: { Cache-Control: no-store }',
    '23 rules[0].headers: sets Cache-Control, which clientHeaders leaves to the client; remove one of the two',
  ],
  [
    '    headers: { x-oss-meta-album: a }',
    '23 rules[0].headers: sets x-oss-meta-album, which metadata leaves to the client',
  ],
  ['    limits: { requestsPerMinute: 0 }', '24 rules[0].limits.requestsPerMinute: must be at least 1'],
  [
    '    limits: { requestsPerMinute: 1e308 }',
    '24 rules[0].limits.requestsPerMinute: must be at most 1000000',
  ],
  ['    limits: { requestsPerMinute: -1e308 }', '24 rules[0].limits.requestsPerMinute: must be at least 1'],
  [
    '    limits: { requestsPerHour: 1 }',
    '24 rules[0].limits.requestsPerHour: is not a field of the policy file; possible here: requestsPerMinute, bytesPerDay',
  ],
])('rejects %s', (line, fault) => {
  expect(faultsOf(withLine(line))).toStrictEqual([fault]);
});

it('reports a missing field as missing even if it may have several types', () => {
  expect(faultsOf(GOOD.replace('    audience: uploads\n', ''))).toStrictEqual([
    '2 issuers[0].audience: is missing',
  ]);
});

it.each([
  [
    'rules:',
    'rule:',
    ['1 rules: is missing', '11 rule: is not a field of the policy file; did you mean "rules"?'],
  ],
  [
    '    prefix:',
    '    audience: uploads\n    prefix:',
    ['15 rules[0].audience: is not a field here; it belongs to issuers[]'],
  ],
  [
    '    prefix:',
    '    scope: s\n    prefix:',
    ['15 rules[0].scope: is not a field here; it belongs to rules[].who'],
  ],
  [
    '    prefix:',
    '    max: 1h\n    prefix:',
    ['15 rules[0].max: is not a field here; it belongs to rules[].expiresIn'],
  ],
  [
    '    bucket:',
    '    prefix: a/\n    bucket:',
    ['8 targets.media.prefix: is not a field here; it belongs to rules[]'],
  ],
  [
    '    bucket:',
    '    regoin: a\n    bucket:',
    ['8 targets.media.regoin: is not a field of the policy file; did you mean "region"?'],
  ],
  [
    '    audience:',
    '    jwks_url: a\n    audience:',
    ['3 issuers[0].jwks_url: is not a field of the policy file; did you mean "jwksUrl"?'],
  ],
])('reports where a field belongs: %j as %j', (line, changed, faults) => {
  expect(faultsOf(GOOD.replace(line, changed))).toStrictEqual(faults);
});

it('names the place of a claim, and reports that no condition is left', () => {
  expect(faultsOf(withLine('    who: { role: admin }'))).toStrictEqual([
    '13 rules[0].who.role: is not a field of the policy file; write the name and values of a claim below claims',
    '13 rules[0].who: would match every caller: name at least one of scope, claims and issuer',
  ]);
});

// A condition that is dropped would match more callers than the operator intended.
it.each(['__proto__', '"__proto__"'])('rejects the name %s instead of dropping its condition', (name) => {
  const text = GOOD.replace('role: [member, admin]', `role: [member, admin], ${name}: [a]`);
  expect(parse(text)).toStrictEqual({
    faults: [{ line: 13, path: '', detail: '"__proto__" cannot be a name in the policy file' }],
  });
});

it('rejects a limit of bytes without a maximum size', () => {
  expect(faultsOf(withLine('    maxSize: unlimited'))).toStrictEqual([
    '24 rules[0].limits.bytesPerDay: needs a maxSize: bytes cannot be counted where the length is not bound',
  ]);
});

it.each([
  ['issuer'],
  ['audience'],
  ['bucket'],
  ['region'],
  ['name'],
  ['who'],
  ['target'],
  ['prefix'],
  ['contentTypes'],
  ['maxSize'],
])('reports that %s is missing', (field) => {
  const line = new RegExp(`^(  [ -] )${field}: .*$`, 'm');
  const faults = faultsOf(GOOD.replace(line, '$1unused: 1'));
  expect(
    faults.some((fault) => new RegExp(`(^|\\.)${field}: is missing`).test(fault.replace(/^\d+ /, ''))),
    faults.join('\n'),
  ).toBe(true);
});

it.each([
  [
    'a private key',
    JSON.stringify({ keys: [{ kty: 'EC', d: 'x' }] }),
    'holds a private or symmetric key; it must hold public keys only: jwks.json',
  ],
  [
    'a symmetric key',
    JSON.stringify({ keys: [{ kty: 'oct', k: 'x' }] }),
    'holds a private or symmetric key; it must hold public keys only: jwks.json',
  ],
  ['no keys', '{"keys":[]}', 'is not a JSON Web Key Set with at least one key: jwks.json'],
  ['no JSON', 'keys', 'is not JSON: jwks.json'],
])('rejects a key set with %s', (_name, jwks, fault) => {
  const text = GOOD.replace(/jwksUrl: .*/, 'jwksFile: jwks.json');
  expect(faultsOf(text, {}, { 'jwks.json': jwks })).toStrictEqual([`4 issuers[0].jwksFile: ${fault}`]);
});

it.each([
  ['not set', {}, 'names the environment variable THE_SECRET, which is not set'],
  [
    'too short',
    { THE_SECRET: 'Shh-31-bytes-are-not-enough-xxx' },
    'names THE_SECRET, which holds 31 bytes; HS256 needs at least 32',
  ],
])('rejects a secret that is %s, and does not show it', (_name, env: Env, fault) => {
  const text = GOOD.replace(/jwksUrl: .*/, 'secretEnv: THE_SECRET').replace(/ {4}algorithms: .*\n/, '');
  expect(faultsOf(text, env)).toStrictEqual([`4 issuers[0].secretEnv: ${fault}`]);
});

it('reports every fault together, each with its line', () => {
  const text = `issuers:
  - issuer: https://a.example/
    audience: a
  - issuer: https://a.example/
    audience: a
    secret: x
targets:
  t: { bucket: B, region: cn-hangzhou }
rules:
  - name: r
    who: {}
    target: u
    prefix: p
    contentTypes: []
    maxSize: big
  - name: r
    surprise: \${NOPE}
`;
  expect(faultsOf(text)).toStrictEqual([
    '4 issuers[1].issuer: is used twice',
    '6 issuers[1].secret: is not a field of the policy file',
    '8 targets.t.bucket: must be a bucket name: 3–63 of a-z, 0-9 and "-", no "-" at either end',
    '11 rules[0].who: would match every caller: name at least one of scope, claims and issuer',
    '12 rules[0].target: names the unknown target "u"; known targets: t; did you mean "t"?',
    '13 rules[0].prefix: must end in "/"',
    '14 rules[0].contentTypes: must name at least one media type',
    '15 rules[0].maxSize: must be "unlimited" or a size greater than 0, such as 500KiB, 50MiB or 1GB',
    '16 rules[1].who: is missing',
    '16 rules[1].target: is missing',
    '16 rules[1].prefix: is missing',
    '16 rules[1].contentTypes: is missing',
    '16 rules[1].maxSize: is missing',
    '16 rules[1].name: is used twice',
    `17 : \${NOPE} names an environment variable that is not set`,
    '17 rules[1].surprise: is not a field of the policy file',
  ]);
});

it.each([
  ['nothing', '', ['1 issuers: is missing', '1 targets: is missing', '1 rules: is missing']],
  ['a list', '- a', ['1 : must be a mapping with the fields issuers, targets and rules']],
  ['a text', 'policy', ['1 : must be a mapping with the fields issuers, targets and rules']],
  ['a field twice', `${GOOD}targets: {}\n`, ['25 : "targets" is used twice']],
  ['a tab', 'issuers:\n\t- a', ['2 : use spaces, not a tab']],
  ['two documents', 'a: 1\n---\nb: 2\n', ['2 : a second YAML document begins here; remove the "---"']],
  [
    'an unknown tag',
    'issuers: !!js/function a',
    ['1 : YAML tags are not supported; put quotes around text that begins with "!"'],
  ],
])('rejects a file with %s', (_name, text, faults) => {
  expect(faultsOf(text)).toStrictEqual(faults);
});

it('rejects aliases that expand without end', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'
      .split('')
      .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]`),
  ].join('\n');
  expect(faultsOf(bomb)).toStrictEqual([
    '1 : has aliases ("*name") that cannot be resolved or expand too far',
  ]);
});

it.each(['policy.example.yaml', 'src/demo/policy.yaml'])('%s is a good policy', (name) => {
  const text = readFileSync(new URL(`../../../${name}`, import.meta.url), 'utf8');
  const env = {
    DEMO_ISSUER: 'http://127.0.0.1:8090/',
    DEMO_JWKS_URL: 'http://127.0.0.1:8090/jwks',
    DEMO_OSS_ENDPOINT: 'http://127.0.0.1:9000',
  };
  expect(faultsOf(text, env)).toStrictEqual([]);
});

it('policy.example.yaml is a good policy with the rules and entries that are comments', () => {
  const text = readFileSync(new URL('../../../policy.example.yaml', import.meta.url), 'utf8');
  const complete = text.replaceAll(/^( {4})# (?=\w+: )|^( {2})# (?=- | {2})/gm, '$1$2');
  const { issuers, rules } = policyOf(complete, {
    BACKEND_TOKEN_SECRET: 'fifty-two characters of which the service sees none.',
    HOOK_SECRET: 'whsec_ZmlmdHktdHdvIGNoYXJhY3RlcnMgb2Ygd2hpY2g=',
  });
  expect(rules[0]?.notify?.url).toBe('https://app.example.com/hooks/uploads');
  expect(issuers).toHaveLength(2);
  expect(rules.map(({ name, actions }) => [name, ...actions])).toStrictEqual([
    ['own-files', 'upload'],
    ['nightly-exports', 'upload'],
    ['films', 'upload'],
    ['own-downloads', 'download'],
    ['backend', 'confirm'],
  ]);
});

it.each(['[]', '[{ bucket: acme-media }]'])(
  'does not call a target unknown where targets is %s',
  (targets) => {
    expect(faultsOf(GOOD.replace(/targets:\n[\s\S]*(?=rules:)/, `targets: ${targets}\n`))).toStrictEqual([
      expect.stringMatching(/targets: must be a mapping, such as media:/),
    ]);
  },
);
