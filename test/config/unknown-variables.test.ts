import { expect, it } from 'vitest';
import { environmentSchema } from '../../src/config/config.ts';
import { unknownVariables } from '../../src/config/unknown-variables.ts';

it.each([
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['CORS_ORGINS', 'CORS_ORIGINS'],
  ['cors_origins', 'CORS_ORIGINS'],
  ['CORS_ALLOWED_ORIGINS', 'CORS_ORIGINS'],
  ['OSS_SECRET_ACCESS_KEY', 'OSS_ACCESS_KEY_SECRET'],
  ['OSS_ACCESS_KEY', 'OSS_ACCESS_KEY_ID'],
  ['OSS_ACCESSKEY_ID', 'OSS_ACCESS_KEY_ID'],
  ['OSS_ACCESS_KEYID', 'OSS_ACCESS_KEY_ID'],
  ['OSS_ACCES_KEY_SECRET', 'OSS_ACCESS_KEY_SECRET'],
  ['OSS_SESSION_TOKENS', 'OSS_SESSION_TOKEN'],
  ['OSS_SECURITY_TOKEN', 'OSS_SESSION_TOKEN'],
  ['REDIS_URI', 'REDIS_URL'],
  ['VALKEY_URL', 'REDIS_URL'],
  ['POLICY_PATH', 'POLICY_FILE'],
  ['POLICY_FIEL', 'POLICY_FILE'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['METRIC_PORT', 'METRICS_PORT'],
  ['TRUSTED_PROXY', 'TRUST_PROXY'],
  ['SHUTDOWN_GRACE_SECOND', 'SHUTDOWN_GRACE_SECONDS'],
  ['SHUTDOWN_GRACE', 'SHUTDOWN_GRACE_SECONDS'],
  ['SHUTDOWN_DELAY', 'SHUTDOWN_DELAY_SECONDS'],
  ['OSS_ACCESS_SECRET_KEY', 'OSS_ACCESS_KEY_SECRET'],
  ['TRUST_PROXIES', 'TRUST_PROXY'],
])('%s: suggests %s, without the value', (name, meant) => {
  expect(unknownVariables({ [name]: 'TheValue' }, undefined)).toStrictEqual([
    `${name} is not a variable of the service and has no effect. Did you mean ${meant}?`,
  ]);
});

it('reports none of the variables of the service', () => {
  const all = Object.fromEntries(Object.keys(environmentSchema.shape).map((name) => [name, 'x']));
  expect(unknownVariables(all, undefined)).toStrictEqual([]);
});

it('reports none of the environments that shells, npm, containers and Kubernetes make', () => {
  const ordinary =
    `PATH HOME USER SHELL PWD OLDPWD LANG LC_ALL TERM SHLVL LOGNAME HOSTNAME HOSTTYPE HOST_IP HOSTS SPORT PORTS
    POST EDITOR VISUAL MAIL DISPLAY TZ TMPDIR LS_COLORS SSH_AUTH_SOCK XDG_RUNTIME_DIR NODE_ENV NODE_OPTIONS NODE_VERSION
    NODE_EXTRA_CA_CERTS HTTP_PROXY HTTPS_PROXY NO_PROXY http_proxy https_proxy no_proxy ALL_PROXY CI GITHUB_TOKEN
    npm_config_registry npm_package_name npm_lifecycle_event KUBERNETES_PORT KUBERNETES_SERVICE_HOST
    KUBERNETES_PORT_443_TCP_PROTO REDIS_PORT REDIS_HOST REDIS_SERVICE_HOST REDIS_SERVICE_PORT REDIS_PORT_6379_TCP
    REDIS_PASSWORD OSS_PRESIGN_PORT OSS_PRESIGN_SERVICE_HOST OSS_BUCKET OSS_REGION OSS_ENDPOINT PRESIGN_PORT POLICY_NAME POLICY_DIR
    LOG_FILE LOG_DIR LOG_FORMAT AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY ALIBABA_CLOUD_ACCESS_KEY_ID ALIBABA_CLOUD_ROLE_ARN
    PYTHONPATH JAVA_HOME GOPATH _ PS1 SYSTEMROOT ProgramFiles(x86) METRICS_ENABLED CORS_ENABLED`.split(/\s+/);
  const env = Object.fromEntries(ordinary.map((name) => [name, 'x']));
  expect(unknownVariables(env, undefined)).toStrictEqual([]);
});

it('reports none of a variable that the policy file uses', () => {
  const policy = 'issuers: [{ secretEnv: OSS_SECRET_KEY }]\ntargets: "$' + '{REDIS_URI}"';
  expect(unknownVariables({ OSS_SECRET_KEY: 'x', REDIS_URI: 'x', CORS_ORIGIN: 'x' }, policy)).toStrictEqual([
    'CORS_ORIGIN is not a variable of the service and has no effect. Did you mean CORS_ORIGINS?',
  ]);
});

it('ignores names that are too long', () => {
  const long = `OSS_${'A'.repeat(100_000)}`;
  expect(unknownVariables({ [long]: 'x' }, undefined)).toStrictEqual([]);
});

it('does not find the name of a variable in a part of a word of the policy file', () => {
  expect(unknownVariables({ POLICY_FIL: 'x' }, '# wherever POLICY_FILE points')).toStrictEqual([
    'POLICY_FIL is not a variable of the service and has no effect. Did you mean POLICY_FILE?',
  ]);
});
