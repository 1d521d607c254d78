import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { type CorsRule, startEmulator } from '../../src/emulator/emulator.ts';
import { presign } from '../../src/storage/oss/signing/presign.ts';
import { now } from './fixed-clock.ts';
import { serviceKeysFile } from './service-keys.ts';
import { startTestService } from './test-service.ts';
import { startWire, type Wire } from './wire.ts';

const BUCKET = 'acme-media';
const REGION = 'cn-hangzhou';
const CREDENTIALS = { accessKeyId: 'LTAI5tTestKey', accessKeySecret: 'TestSecret0123456789' };

/** Service and OSS, each behind a wire that records exchanges and can change them. */
export type ClientEnvironment = {
  readonly service: Wire;
  readonly oss: Wire;
  /** A token of `alice`, with the claims that were asked for. */
  readonly token: string;
  /** Another token of the same issuer; by default of `alice`. */
  sign(claims: Readonly<Record<string, unknown>>): Promise<string>;
  /** Changes the headers that later grants name, but not those that are signed, like a client that sends other headers. */
  changeGrantedHeaders(change: Readonly<Record<string, string | undefined>>): void;
  /** How far the clock of OSS runs ahead of the service's. */
  setClockAhead(seconds: number): void;
  /** Fetches the object of a key from OSS with a URL of our own. */
  read(key: string): Promise<{
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly bytes: number;
    readonly sha256: string;
  }>;
  close(): Promise<void>;
};

export async function startClientEnvironment({
  corsRules = [],
  corsOrigins = '',
  policyFile = 'src/demo/policy.yaml',
  claims = {},
  region = REGION,
  rule = {},
  rules,
  adapters = '',
}: {
  readonly corsRules?: readonly CorsRule[];
  /** The pages that may ask the service. */
  readonly corsOrigins?: string;
  /** A policy of the repository, of which all but the issuers' keys, the buckets and their addresses stays unchanged. */
  readonly policyFile?: string;
  /** Further claims of the token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** The region for which the policy signs; the bucket's own stays. */
  readonly region?: string;
  /** Fields of the policy's first rule that are different. */
  readonly rule?: Readonly<Record<string, unknown>>;
  /** Rules in place of the policy's. */
  readonly rules?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** The setting ADAPTERS. */
  readonly adapters?: string;
} = {}): Promise<ClientEnvironment> {
  const closing: (() => Promise<void>)[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'oss-presign-environment-'));
  let aheadMs = 0;
  const emulator = await startEmulator({
    directory,
    buckets: { [BUCKET]: { region: REGION, corsRules } },
    credentials: [CREDENTIALS],
    clock: () => new Date(now.getTime() + aheadMs),
  });
  const oss = await startWire(emulator.url);
  const keys = serviceKeysFile('first');
  const { url, issuer } = await startTestService({
    policyYaml: policyYaml(policyFile, { endpoint: oss.url, region }, rule, rules),
    env: {
      SERVICE_KEYS_FILE: 'keys.json',
      PUBLIC_URL: 'https://presign.test',
      ...(corsOrigins && { CORS_ORIGINS: corsOrigins }),
      ...(adapters && { ADAPTERS: adapters }),
    },
    files: { 'keys.json': () => keys },
    onStop: (stop) => closing.push(stop),
  });
  const service = await startWire(url);

  return {
    service,
    oss,
    token: await issuer.sign(claims),
    sign: (others) => issuer.sign(others),
    changeGrantedHeaders: (change) =>
      service.interfere({
        response: (body, status) => {
          if (status !== 201) return body;
          const grant = JSON.parse(body);
          return JSON.stringify({ ...grant, headers: { ...grant.headers, ...change } });
        },
      }),
    setClockAhead: (seconds) => {
      aheadMs = seconds * 1000;
    },
    read: async (key) => {
      const signed = presign({
        credentials: CREDENTIALS,
        method: 'GET',
        region: REGION,
        bucket: BUCKET,
        key,
        endpoint: { url: emulator.url, addressing: 'path' },
        headers: {},
        signedAt: now,
        expiresInSeconds: 600,
      });
      const response = await fetch(signed.url);
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of response.body ?? []) {
        hash.update(chunk);
        bytes += chunk.length;
      }
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        bytes,
        sha256: hash.digest('hex'),
      };
    },
    close: async () => {
      await Promise.all([service.close(), oss.close()]);
      await Promise.all(closing.map((stop) => stop()));
      await emulator.close();
      rmSync(directory, { recursive: true });
    },
  };
}

/** A policy of the repository on the bucket and the keys of the tests. An issuer that is a placeholder becomes that of the tests. */
function policyYaml(
  file: string,
  place: { readonly endpoint: string; readonly region: string },
  rule: Readonly<Record<string, unknown>>,
  rules: readonly Readonly<Record<string, unknown>>[] | undefined,
): string {
  const policy = parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
  for (const issuer of policy.issuers) {
    if (issuer.issuer.startsWith('$')) issuer.issuer = 'https://login.test/';
    delete issuer.jwksUrl;
    issuer.jwksFile = 'jwks.json';
    issuer.algorithms = ['ES256'];
  }
  for (const target of Object.values<Record<string, unknown>>(policy.targets))
    Object.assign(target, { bucket: BUCKET, ...place });
  if (rules) policy.rules = structuredClone(rules);
  Object.assign(policy.rules[0], rule);
  return stringify(policy);
}
