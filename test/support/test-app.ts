import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import supertest from 'supertest';
import { onTestFinished } from 'vitest';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier, type TokenVerifier } from '../../src/auth/token-verifier.ts';
import { createStaticCredentials } from '../../src/credentials/static-credentials.ts';
import { type PreparedStorage, prepareStorage } from '../../src/grants/prepared-storage.ts';
import { type AppDependencies, buildApp } from '../../src/http/app.ts';
import { createRequestGroups } from '../../src/http/load-control/request-groups.ts';
import { createDenialLimiter } from '../../src/limits/denial-limiter.ts';
import { createMemoryLimiter } from '../../src/limits/memory-limiter.ts';
import { createLogger } from '../../src/log/logger.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import type { Policy, Target } from '../../src/policy/policy.ts';
import type { BucketClient } from '../../src/storage/object-storage.ts';
import { prepareBucket } from '../../src/storage/oss/bucket.ts';
import { fixedClock } from './fixed-clock.ts';
import { policyWith } from './policies.ts';
import { serviceKeysOf } from './service-keys.ts';
import { createTestIssuer, type TestIssuer } from './tokens.ts';

/** The id of every grant of the app. */
export const GRANT_ID = '019ab000-0000-7000-8000-000000000001';

export const testCredentials = { accessKeyId: 'LTAI5tTestKey', accessKeySecret: 'TestSecret0123456789' };

/** Parsed policies by issuer and text. Most tests use one of a few, and parsing takes longer than they do. */
const policies = new WeakMap<TestIssuer, Map<string, Policy>>();

type Env = Readonly<Record<string, string>>;

/**
 * The policy of this text, whose `jwks.json` has the keys of the issuer.
 * @param env the variables that `secretEnv` names.
 */
export function policyFrom(yaml: string, issuer: TestIssuer, env: Env = {}): Policy {
  const ofIssuer = policies.get(issuer) ?? new Map<string, Policy>();
  policies.set(issuer, ofIssuer);
  const name = JSON.stringify([yaml, env]);
  const policy = ofIssuer.get(name) ?? parse(yaml, issuer, env);
  ofIssuer.set(name, policy);
  return policy;
}

function parse(yaml: string, issuer: TestIssuer, env: Env): Policy {
  const parsed = parsePolicy(yaml, { env, readFile: () => JSON.stringify(issuer.jwks) });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults, null, 1));
  return parsed.policy;
}

/** The issuer of apps that name none. Nothing changes an issuer, so all tests of a worker share it. */
const defaultIssuer = createTestIssuer();

/** The storage of a policy's rules, as the service prepares it. */
export function storageOf(policy: Policy, createClient?: (target: Target) => BucketClient): PreparedStorage {
  return prepareStorage(policy, prepareBucket, createClient);
}

export type TestApp = {
  readonly app: FastifyInstance;
  readonly issuer: TestIssuer;
  /** Each line of the log, as written. */
  readonly log: readonly string[];
  /** `POST /v1/uploads` with a good token of `alice`; `claims` change the token. */
  post(body: unknown, claims?: Readonly<Record<string, unknown>>): Promise<supertest.Response>;
  readonly http: ReturnType<typeof supertest>;
};

/** The whole HTTP service on a frozen clock, closed when the test ends. */
export async function createTestApp({
  policyYaml = policyWith(),
  verifier,
  createClient,
  issuer = defaultIssuer,
  env,
  ...overrides
}: Partial<AppDependencies> & {
  readonly policyYaml?: string;
  readonly verifier?: TokenVerifier;
  /** The client of a target's bucket. */
  readonly createClient?: (target: Target) => BucketClient;
  readonly issuer?: TestIssuer;
  readonly env?: Readonly<Record<string, string>>;
} = {}): Promise<TestApp> {
  const policy = policyFrom(policyYaml, issuer, env);
  const keySources = createKeySources({ clock: fixedClock, fetch: forbiddenFetch });
  const active = {
    policy,
    storage: storageOf(policy, createClient),
    verifier: verifier ?? createTokenVerifier({ issuers: policy.issuers, clock: fixedClock, keySources }),
  };
  const log: string[] = [];
  const destination = new Writable({
    write(chunk, _encoding, done) {
      log.push(String(chunk));
      done();
    },
  });
  let ids = 0;
  const serviceKeys = serviceKeysOf('test-key');
  const app = await buildApp({
    active: () => active,
    serviceKeys: { current: () => serviceKeys, isShared: false },
    credentials: createStaticCredentials(testCredentials),
    limiter: createMemoryLimiter({ nowMs: () => fixedClock().getTime() }),
    clock: fixedClock,
    logger: createLogger('debug', fixedClock, destination),
    readiness: () => [{ name: 'process', ok: true, detail: 'running' }],
    canContinueUploads: true,
    publicUrl: 'https://presign.test',
    callbacks: { verify: async () => ({ result: 'signature' }) },
    notifier: {
      notify() {
        throw new Error('a test without a receiver notified it');
      },
    },
    observer: {
      responded: () => {},
      decided: () => {},
      decidedKeys: () => {},
      completed: () => {},
      rejected: () => {},
    },
    isDraining: () => false,
    requestGroups: createRequestGroups(() => 0),
    newGrantId: () => GRANT_ID,
    yieldToEventLoop: () => setImmediate(),
    newRequestId: () => `request-${++ids}`,
    denials: createDenialLimiter({ nowMs: () => fixedClock().getTime() }),
    corsOrigins: [],
    corsAllowedHeaders: [],
    adapters: [],
    trustProxy: [],
    ...overrides,
  });
  onTestFinished(() => app.close());
  await app.ready();
  const http = supertest(app.server);
  return {
    app,
    issuer,
    log,
    http,
    post: async (body, claims) =>
      http
        .post('/v1/uploads')
        .set('authorization', `Bearer ${await issuer.sign(claims)}`)
        .set('content-type', 'application/json')
        .send(typeof body === 'string' ? body : JSON.stringify(body)),
  };
}

const forbiddenFetch: typeof fetch = () => {
  throw new Error('a test reached for the network');
};
