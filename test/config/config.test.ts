import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { environmentSchema, loadConfig } from '../../src/config/config.ts';
import { serviceKeysWarnings } from '../../src/config/service-keys-settings.ts';
import { serviceKeysFile } from '../support/service-keys.ts';

const SECRETS = { OSS_ACCESS_KEY_ID: 'id', OSS_ACCESS_KEY_SECRET: 'TheSecret' };

const noFile = (): never => {
  throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
};

function faultsOf(
  env: Record<string, string | undefined>,
  readFile: (path: string) => string = noFile,
): readonly string[] {
  const loaded = loadConfig({ ...SECRETS, ...env }, readFile);
  return 'faults' in loaded ? loaded.faults : [];
}

it('needs nothing but credentials, and is closed by default', () => {
  expect(loadConfig(SECRETS, noFile)).toStrictEqual({
    config: {
      host: '127.0.0.1',
      port: 8080,
      logLevel: 'info',
      auditMode: 'lossy',
      corsOrigins: [],
      corsAllowedHeaders: [],
      adapters: [],
      trustProxy: [],
      redisUrl: undefined,
      serviceKeysFile: undefined,
      publicUrl: 'http://localhost:8080',
      callbackKey: undefined,
      canContinueUploads: true,
      metricsPort: undefined,
      shutdownDelaySeconds: 3,
      shutdownGraceSeconds: 25,
      credentials: {
        source: 'environment',
        credentials: { accessKeyId: 'id', accessKeySecret: 'TheSecret' },
      },
    },
  });
});

it('reads every variable', () => {
  const loaded = loadConfig(
    {
      ...SECRETS,
      HOST: '0.0.0.0',
      PORT: '0',
      POLICY_FILE: '/etc/policy.yaml',
      LOG_LEVEL: 'debug',
      AUDIT_MODE: 'strict',
      CORS_ORIGINS: 'https://a.example.com, http://localhost:3000,',
      CORS_ALLOWED_HEADERS: 'X-Trace-Id, x-tenant',
      ADAPTERS: 'vapor, activestorage,lfs',
      TRUST_PROXY: '10.0.0.0/8, fd00::/8,192.0.2.1,loopback',
      REDIS_URL: 'rediss://user:pass@cache:6380/1',
      METRICS_PORT: '9090',
      SHUTDOWN_DELAY_SECONDS: '0',
      SHUTDOWN_GRACE_SECONDS: '5',
      SERVICE_KEYS_FILE: '/etc/service-keys.json',
      PUBLIC_URL: 'https://presign.example.com/api/',
      OSS_SESSION_TOKEN: 'token',
    },
    () => serviceKeysFile('a'),
  );
  expect(loaded).toStrictEqual({
    config: {
      host: '0.0.0.0',
      port: 0,
      logLevel: 'debug',
      auditMode: 'strict',
      corsOrigins: ['https://a.example.com', 'http://localhost:3000'],
      corsAllowedHeaders: ['X-Trace-Id', 'x-tenant'],
      adapters: ['vapor', 'activestorage', 'lfs'],
      trustProxy: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1', 'loopback'],
      redisUrl: 'rediss://user:pass@cache:6380/1',
      serviceKeysFile: '/etc/service-keys.json',
      publicUrl: 'https://presign.example.com/api',
      callbackKey: undefined,
      canContinueUploads: true,
      metricsPort: 9090,
      shutdownDelaySeconds: 0,
      shutdownGraceSeconds: 5,
      credentials: {
        source: 'environment',
        credentials: { accessKeyId: 'id', accessKeySecret: 'TheSecret', securityToken: 'token' },
      },
    },
  });
});

it('reports all faults together, without a secret', () => {
  const faults = faultsOf({
    PORT: '80a',
    LOG_LEVEL: 'loud',
    CORS_ORIGINS: '*',
    ADAPTERS: 'vapor, rails',
    TRUST_PROXY: 'everywhere',
    REDIS_URL: 'http://user:Passw0rd@cache',
    SHUTDOWN_GRACE_SECONDS: '0',
    OSS_ACCESS_KEY_SECRET: 'Two Words',
    OSS_ACCESS_KEY_ID: '',
  });
  expect(faults).toStrictEqual([
    'PORT must be a whole number from 0 to 65535.',
    'LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent.',
    'CORS_ORIGINS "*" must not contain "*"; list each origin, such as https://app.example.com.',
    'ADAPTERS "rails" must be one of activestorage, lfs, vapor.',
    'TRUST_PROXY "everywhere" must be an IP address, a CIDR range such as 10.0.0.0/8, or one of loopback, linklocal, uniquelocal.',
    expect.stringMatching(/^REDIS_URL must be an address such as redis:/),
    'SHUTDOWN_GRACE_SECONDS must be a whole number from 1 to 3600.',
    'OSS_ACCESS_KEY_SECRET must be one line of printable ASCII without blanks.',
    'OSS_ACCESS_KEY_ID (or OSS_ACCESS_KEY_ID_FILE) is empty: without credentials nothing can be signed.',
  ]);
  expect(faults.join()).not.toMatch(/Passw0rd|Two Words/);
});

it('reports an adapter that is listed twice, and git-lfs without an address for its clients', () => {
  expect(faultsOf({ ADAPTERS: 'vapor,lfs,vapor, vapor' })).toStrictEqual([
    'ADAPTERS "vapor" must be listed once.',
  ]);
  expect(faultsOf({ ADAPTERS: 'lfs' })).toStrictEqual([
    'PUBLIC_URL is not set: ADAPTERS "lfs" sends clients to the service by this address.',
  ]);
  expect(faultsOf({ ADAPTERS: 'vapor' })).toStrictEqual([]);
});

it.each(['65536', '-1', '1e3', ' 80', '8080.5'])('rejects %j as a port', (port) => {
  expect(faultsOf({ PORT: port })).toHaveLength(1);
});

it.each([
  ['neither', {}, 'is not set'],
  ['an empty one', { OSS_ACCESS_KEY_SECRET: '' }, 'is empty'],
  ['a blank one', { OSS_ACCESS_KEY_SECRET: '  ' }, 'is empty'],
])('rejects a missing secret: %s', (_name, env, state) => {
  const loaded = loadConfig({ OSS_ACCESS_KEY_ID: 'id', ...env }, noFile);
  expect(loaded).toStrictEqual({
    faults: [
      `OSS_ACCESS_KEY_SECRET (or OSS_ACCESS_KEY_SECRET_FILE) ${state}: without credentials nothing can be signed.`,
    ],
  });
});

it('accepts files for some or all parts of the credentials, and returns their paths', () => {
  const readable = { '/run/id': 'file-id\n', '/run/secret': 'file-secret\r\n', '/run/token': 'file-token' };
  const credentialsOf = (env: Record<string, string>) => {
    const loaded = loadConfig(env, (path) => readable[path as keyof typeof readable] ?? noFile());
    return 'config' in loaded ? loaded.config.credentials : loaded.faults;
  };
  expect(credentialsOf({ OSS_ACCESS_KEY_ID: 'id', OSS_ACCESS_KEY_SECRET_FILE: '/run/secret' })).toStrictEqual(
    {
      source: 'files',
      parts: {
        accessKeyId: { value: 'id' },
        accessKeySecret: { file: '/run/secret', variable: 'OSS_ACCESS_KEY_SECRET_FILE' },
      },
    },
  );
  expect(
    credentialsOf({
      OSS_ACCESS_KEY_ID_FILE: '/run/id',
      OSS_ACCESS_KEY_SECRET_FILE: '/run/secret',
      OSS_SESSION_TOKEN_FILE: '/run/token',
    }),
  ).toStrictEqual({
    source: 'files',
    parts: {
      accessKeyId: { file: '/run/id', variable: 'OSS_ACCESS_KEY_ID_FILE' },
      accessKeySecret: { file: '/run/secret', variable: 'OSS_ACCESS_KEY_SECRET_FILE' },
      securityToken: { file: '/run/token', variable: 'OSS_SESSION_TOKEN_FILE' },
    },
  });
  expect(
    credentialsOf({ ...SECRETS, OSS_SESSION_TOKEN_FILE: '/run/token' }),
    'a session token is part of the set, wherever the rest stands',
  ).toMatchObject({ source: 'files' });
});

it('uses the default chain if no credentials are given, and passes only its variables', () => {
  const env = {
    OSS_ACCESS_KEY_ID: '',
    ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/r',
    ALIBABA_CLOUD_PROFILE: ' ',
    PATH: '/bin',
  };
  expect(loadConfig(env, noFile)).toMatchObject({
    config: {
      credentials: { source: 'default-chain', environment: { ALIBABA_CLOUD_ROLE_ARN: 'acs:ram::1:role/r' } },
    },
  });
  expect(faultsOf({ OSS_ACCESS_KEY_ID: undefined, OSS_ACCESS_KEY_SECRET: undefined })).toStrictEqual([]);
});

it('does not accept a session token alone as credentials', () => {
  expect(loadConfig({ OSS_SESSION_TOKEN: 'token' }, noFile)).toStrictEqual({
    faults: [
      'OSS_ACCESS_KEY_ID (or OSS_ACCESS_KEY_ID_FILE) is not set: without credentials nothing can be signed.',
      'OSS_ACCESS_KEY_SECRET (or OSS_ACCESS_KEY_SECRET_FILE) is not set: without credentials nothing can be signed.',
    ],
  });
});

it.each<[string, () => string, string]>([
  ['is not there', noFile, 'OSS_SESSION_TOKEN_FILE cannot be read (ENOENT): /run/token'],
  ['is empty', () => '\n', 'OSS_SESSION_TOKEN_FILE is empty: /run/token'],
  [
    'has two lines',
    () => 'a\nb',
    'OSS_SESSION_TOKEN_FILE must be one line of printable ASCII without blanks: /run/token',
  ],
])('reports that a secret’s file %s', (_name, readFile, fault) => {
  expect(faultsOf({ OSS_SESSION_TOKEN_FILE: '/run/token' }, readFile)).toStrictEqual([fault]);
});

it('rejects a secret that is given both in the environment and in a file', () => {
  expect(faultsOf({ OSS_ACCESS_KEY_SECRET_FILE: '/run/secret' })).toStrictEqual([
    'OSS_ACCESS_KEY_SECRET and OSS_ACCESS_KEY_SECRET_FILE are both set; leave one out.',
  ]);
});

it.each([
  ['warning', 'warn'],
  ['WARN', 'warn'],
  ['Information', 'info'],
  ['information', 'info'],
  ['err', 'error'],
  ['debgu', 'debug'],
  ['inf', 'info'],
  ['verbose', undefined],
])('LOG_LEVEL=%s: reports the possible values and the closest one', (value, meant) => {
  expect(faultsOf({ LOG_LEVEL: value })).toStrictEqual([
    `LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent.${meant === undefined ? '' : ` Did you mean "${meant}"?`}`,
  ]);
});

it.each(['warn', 'error', 'fatal', 'silent'])('rejects AUDIT_MODE=strict with LOG_LEVEL=%s', (LOG_LEVEL) => {
  expect(faultsOf({ AUDIT_MODE: 'strict', LOG_LEVEL })).toStrictEqual([
    'AUDIT_MODE=strict needs LOG_LEVEL info, debug, trace: audit lines have the level info.',
  ]);
  expect(faultsOf({ AUDIT_MODE: 'lossy', LOG_LEVEL })).toStrictEqual([]);
});

it('names the values of AUDIT_MODE', () => {
  expect(faultsOf({ AUDIT_MODE: 'strct' })).toStrictEqual([
    'AUDIT_MODE must be one of lossy, strict. Did you mean "strict"?',
  ]);
  expect(faultsOf({ AUDIT_MODE: 'strict' })).toStrictEqual([]);
});

it('rejects a METRICS_PORT that is PORT, whichever of them is the default', () => {
  const fault = ['METRICS_PORT must differ from PORT.'];
  expect(faultsOf({ METRICS_PORT: '8080' })).toStrictEqual(fault);
  expect(faultsOf({ PORT: '9000', METRICS_PORT: '9000' })).toStrictEqual(fault);
  expect(faultsOf({ PORT: '0', METRICS_PORT: '0' }), 'two free ports').toStrictEqual([]);
});

it.each(['http://0.0.0.0', 'localhost:8080', 'my host', '0.0.0.0/0', '-a', 'a'.repeat(300)])(
  'rejects %j as HOST',
  (host) => {
    expect(faultsOf({ HOST: host })).toStrictEqual([
      'HOST must be an IP address or a host name, without scheme and port.',
    ]);
  },
);

it.each(['::', '::1', '0.0.0.0', 'localhost', 'a.example.com', 'pod-1'])('accepts %s as HOST', (host) => {
  expect(faultsOf({ HOST: host })).toStrictEqual([]);
});

it.each(['LTAI/5tKey', 'a,b', 'a=b', 'a:b', 'a%2Fb', 'a+b'])(
  'rejects the access key id %s, in the environment and in a file',
  (id) => {
    const fault = 'must consist of letters, digits, ".", "_" and "-"';
    expect(faultsOf({ OSS_ACCESS_KEY_ID: id })).toStrictEqual([`OSS_ACCESS_KEY_ID ${fault}.`]);
    expect(
      faultsOf({ OSS_ACCESS_KEY_ID: undefined, OSS_ACCESS_KEY_ID_FILE: '/run/id' }, () => `${id}\n`),
    ).toStrictEqual([`OSS_ACCESS_KEY_ID_FILE ${fault}: /run/id`]);
  },
);

it('accepts the access key ids that Alibaba Cloud issues', () => {
  for (const id of ['LTAI5tNF7jTp1BfzuQJAbcde', 'STS.NUgYrLnoC37mZZCNnAbez', 'demo_access-key.id'])
    expect(faultsOf({ OSS_ACCESS_KEY_ID: id })).toStrictEqual([]);
});

/** Damages that every variable meets, whatever its form. */
const DAMAGED = [
  '"8080"',
  "'https://a.example.com'",
  '"info',
  'a\nb',
  'a\tb',
  '\u0000',
  '\u2028',
  'é',
  '“x”',
  '1e3',
  '-1',
  '+1',
  '0x10',
  '1.5',
  '99999999999999999999',
  'NaN',
  'undefined',
  'null',
  'true',
  '[]',
  '{}',
  '*',
  '/',
  'a b',
  'x'.repeat(5000),
  '\ud800',
];

it.each(Object.keys(environmentSchema.shape))(
  '%s: every fault is one sentence of ours, without the value',
  (name) => {
    for (const value of DAMAGED) {
      const env = name.endsWith('_FILE') && name.startsWith('OSS_') ? { [name.slice(0, -5)]: undefined } : {};
      const faults = faultsOf({ ...env, [name]: value }, (path) => {
        throw Object.assign(new Error(path), { code: 'ENOENT' });
      });
      for (const fault of faults) {
        const what = `${name}=${JSON.stringify(value.slice(0, 30))}`;
        expect(fault, what).toMatch(
          new RegExp(`^${name.replace(/_FILE$/, '')}(_FILE)? (".*" )?(must|is|cannot|\\(or) .*`),
        );
        expect(fault, what).not.toMatch(/Invalid|expected|received|Too (small|big)|\n/);
        expect(fault, what).toMatch(/[.?]$|: .+$/);
        if (/^OSS_.*(?<!_FILE)$|REDIS/.test(name) && value.length > 9)
          expect(fault, what).not.toContain(value);
      }
    }
  },
);

it.each(Object.keys(environmentSchema.shape))('%s: reports a value in quotation marks', (name) => {
  expect(faultsOf({ [name]: '"value"' })).toContain(`${name} is in quotation marks; leave them out.`);
  expect(faultsOf({ [name]: "'value'" })).toContain(`${name} is in quotation marks; leave them out.`);
});

const KEYS = { SERVICE_KEYS_FILE: 'keys.json', PUBLIC_URL: 'https://presign.example.com' };

it('needs PUBLIC_URL with a file of service keys, and reports each fault of both', () => {
  expect(faultsOf({ SERVICE_KEYS_FILE: 'keys.json' }, () => serviceKeysFile('a'))).toStrictEqual([
    'SERVICE_KEYS_FILE is set, but PUBLIC_URL is not: receipts name it as their issuer.',
  ]);
  expect(faultsOf({ ...KEYS, PUBLIC_URL: '' })).toStrictEqual([
    'SERVICE_KEYS_FILE cannot be read (ENOENT): keys.json.',
    'SERVICE_KEYS_FILE is set, but PUBLIC_URL is not: receipts name it as their issuer.',
  ]);
  expect(
    faultsOf({ ...KEYS, PUBLIC_URL: 'presign.example.com' }, () => '{"keys":[{"d":"TheSecret"}]}'),
  ).toStrictEqual([
    'PUBLIC_URL must be the https:// address of the service, such as https://presign.example.com.',
    'SERVICE_KEYS_FILE keys.json: keys[0].kid is missing; give each key another one.',
    'SERVICE_KEYS_FILE keys.json: keys[0] must be a key of the curve P-256 ("kty": "EC", "crv": "P-256"); RSA and other kinds cannot be used.',
  ]);
  expect(faultsOf(KEYS, () => serviceKeysFile('a', 'b'))).toStrictEqual([]);
});

const RSA_PEM = generateKeyPairSync('rsa', { modulusLength: 512 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

it('reads the key for callbacks, in both spellings of PEM', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  for (const type of ['spki', 'pkcs1'] as const) {
    const pem = publicKey.export({ type, format: 'pem' });
    const loaded = loadConfig({ ...SECRETS, OSS_CALLBACK_KEY_FILE: 'key.pem' }, () => `\n${pem}`);
    const { callbackKey } = 'config' in loaded ? loaded.config : expect.fail();
    expect(callbackKey?.equals(publicKey)).toBe(true);
  }
});

it.each<[string, string]>([
  ['', 'is empty; it must hold a public RSA key in PEM'],
  [' \n', 'is empty; it must hold a public RSA key in PEM'],
  ['x'.repeat(16_385), 'is larger than 16 KiB, so it is not a public key'],
  ['AAAA', 'is not PEM; it must begin with -----BEGIN PUBLIC KEY-----'],
  [RSA_PEM + RSA_PEM, 'holds 2 PEM blocks; leave one public key'],
  [RSA_PEM.replace('MF', 'AA'), 'is damaged: its PEM block is not a public key'],
  [RSA_PEM.slice(0, 60), 'is damaged: its PEM block is not a public key'],
  [
    '-----BEGIN OPENSSH PUBLIC-----\nAAAA\n',
    'does not hold a public key; it must begin with -----BEGIN PUBLIC KEY-----',
  ],
  [
    '-----BEGIN CERTIFICATE-----\nAAAA\n',
    'holds a certificate; write its public key, from openssl x509 -pubkey -noout -in FILE',
  ],
  ...['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'OPENSSH PRIVATE KEY'].map(
    (label): [string, string] => [
      `${RSA_PEM}-----BEGIN ${label}-----\nTheSecret\n`,
      'holds a private key; the service needs the public key only, from openssl pkey -pubout -in FILE',
    ],
  ),
  [
    generateKeyPairSync('ec', { namedCurve: 'P-256' })
      .publicKey.export({ type: 'spki', format: 'pem' })
      .toString(),
    'holds a key of another kind; OSS signs callbacks with RSA',
  ],
])('rejects a key for callbacks: %j', (content, fault) => {
  expect(faultsOf({ OSS_CALLBACK_KEY_FILE: 'key.pem' }, () => content)).toStrictEqual([
    `OSS_CALLBACK_KEY_FILE key.pem: ${fault}.`,
  ]);
});

it('reports a key for callbacks that cannot be read', () => {
  expect(faultsOf({ OSS_CALLBACK_KEY_FILE: 'key.pem' })).toStrictEqual([
    'OSS_CALLBACK_KEY_FILE cannot be read (ENOENT): key.pem.',
  ]);
});

it.each([
  ['https://presign.example.com', 'https://presign.example.com'],
  ['https://presign.example.com/', 'https://presign.example.com'],
  ['https://presign.example.com:8443/uploads/v2/', 'https://presign.example.com:8443/uploads/v2'],
  ['http://localhost:8080', 'http://localhost:8080'],
  ['http://10.1.2.3:8080', 'http://10.1.2.3:8080'],
  ['http://[::1]:8080', 'http://[::1]:8080'],
])('takes %s as PUBLIC_URL', (given, publicUrl) => {
  const loaded = loadConfig({ ...SECRETS, PUBLIC_URL: given }, noFile);
  expect(loaded).toMatchObject({ config: { publicUrl } });
});

it.each([
  ['presign.example.com', 'must be the https:// address of the service, such as https://presign.example.com'],
  [
    'ftp://presign.example.com',
    'must be the https:// address of the service, such as https://presign.example.com',
  ],
  ['https://', 'must be the https:// address of the service, such as https://presign.example.com'],
  [
    'http://presign.example.com',
    'must begin with https://; http:// is accepted only for localhost and for loopback and private addresses',
  ],
  [
    'http://presign',
    'must begin with https://; http:// is accepted only for localhost and for loopback and private addresses',
  ],
  ['https://user:TheSecret@presign.example.com', 'must not contain a user name or password'],
  ['https://presign.example.com?', 'must not contain a query ("?") or a fragment ("#")'],
  ['https://presign.example.com/?a=TheSecret', 'must not contain a query ("?") or a fragment ("#")'],
  ['https://presign.example.com/#', 'must not contain a query ("?") or a fragment ("#")'],
  ['https://presign.example.com//', 'must not contain "//" in its path'],
  ['https://Presign.Example.com', 'must be written as https://presign.example.com'],
  ['https://presign.example.com:443', 'must be written as https://presign.example.com'],
  ['https://@presign.example.com', 'must be written as https://presign.example.com'],
  ['https:/presign.example.com', 'must be written as https://presign.example.com'],
  ['https://presign.example.com/a/../b', 'must be written as https://presign.example.com/b'],
  ['https://bücher.example', 'must be written as https://xn--bcher-kva.example'],
  ['http://127.1', 'must be written as http://127.0.0.1'],
  [`https://presign.example.com/${'a'.repeat(255)}`, 'must have at most 255 characters'],
])('rejects %s as PUBLIC_URL', (given, fault) => {
  expect(faultsOf({ PUBLIC_URL: given })).toStrictEqual([`PUBLIC_URL ${fault}.`]);
});

it('takes the port into the default of PUBLIC_URL', () => {
  expect(loadConfig({ ...SECRETS, PORT: '8081' }, noFile)).toMatchObject({
    config: { publicUrl: 'http://localhost:8081' },
  });
});

it('can continue uploads unless several replicas share limits but no keys, and warns without keys', () => {
  const settingsOf = (env: Record<string, string>) => {
    const loaded = loadConfig({ ...SECRETS, ...env }, () => serviceKeysFile('a'));
    if ('faults' in loaded) throw new Error(loaded.faults.join());
    return [loaded.config.canContinueUploads, ...serviceKeysWarnings(loaded.config)];
  };
  const REDIS_URL = 'redis://cache';
  expect(settingsOf(KEYS)).toStrictEqual([true]);
  expect(settingsOf({ ...KEYS, REDIS_URL })).toStrictEqual([true]);
  expect(settingsOf({})).toStrictEqual([true, expect.stringMatching(/^SERVICE_KEYS_FILE is not set: /)]);
  expect(settingsOf({ REDIS_URL })).toStrictEqual([
    false,
    expect.stringMatching(/^REDIS_URL is set, but SERVICE_KEYS_FILE is not: .* get 503\.$/),
  ]);
});
