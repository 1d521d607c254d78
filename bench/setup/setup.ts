import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PeerSettings } from './peer-settings.ts';
import {
  ALGORITHMS,
  type Algorithm,
  AUDIENCE,
  type BenchKeys,
  issuerOf,
  makeKeys,
  makeTokens,
} from './tokens.ts';

export const BUCKET = 'acme-media';
export const REGION = 'cn-hangzhou';
export const BENCH_CREDENTIALS = {
  accessKeyId: 'LTAI5tBenchKeyOfNoOne000',
  accessKeySecret: 'BenchSecretOfNoOne01234567890x',
};

export type BenchSetup = {
  readonly folder: string;
  /** The files of the tokens: JSON arrays with one token per caller. */
  readonly tokensFiles: Readonly<Record<Algorithm, string>>;
  /**
   * The environment of the service, as in production: policy file, credentials, CORS, and the
   * compile cache that the image contains.
   */
  readonly serviceEnv: Readonly<Record<string, string>>;
  readonly peerSettingsFile: string;
  remove(): void;
};

/** Writes keys, tokens, policy and the settings of the peers to a temporary folder. */
export async function prepareSetup({
  callers,
}: {
  readonly callers: Readonly<Record<Algorithm, number>>;
}): Promise<BenchSetup> {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-bench-'));
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const keys = makeKeys();
  const tokensFiles: Partial<Record<Algorithm, string>> = {};
  for (const algorithm of ALGORITHMS) {
    const tokens = await makeTokens(keys, algorithm, callers[algorithm]);
    tokensFiles[algorithm] = write(`tokens-${algorithm}.json`, JSON.stringify(tokens));
  }
  write('jwks.json', JSON.stringify(jwksOf(keys)));
  return {
    folder,
    tokensFiles: tokensFiles as Record<Algorithm, string>,
    serviceEnv: {
      PORT: '0',
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      POLICY_FILE: write('policy.yaml', POLICY),
      CORS_ORIGINS: 'https://app.example.com',
      OSS_ACCESS_KEY_ID: BENCH_CREDENTIALS.accessKeyId,
      OSS_ACCESS_KEY_SECRET: BENCH_CREDENTIALS.accessKeySecret,
      BENCH_SECRET: keys.secret,
    },
    peerSettingsFile: write('peer-settings.json', JSON.stringify(peerSettings(keys))),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function jwksOf(keys: BenchKeys): object {
  return {
    keys: (['RS256', 'ES256'] as const).map((alg) => ({
      ...keys[alg].publicKey.export({ format: 'jwk' }),
      kid: alg,
      alg,
      use: 'sig',
    })),
  };
}

function peerSettings({ RS256, ES256, secret }: BenchKeys): PeerSettings {
  const pem = { format: 'pem', type: 'spki' } as const;
  return {
    ...BENCH_CREDENTIALS,
    audience: AUDIENCE,
    bucket: BUCKET,
    region: REGION,
    publicKeys: {
      RS256: String(RS256.publicKey.export(pem)),
      ES256: String(ES256.publicKey.export(pem)),
    },
    secret,
    contentTypes: ['image/jpeg', 'image/png', 'video/mp4', 'application/pdf'],
    maxSize: 52_428_800,
    expiresInSeconds: 600,
  };
}

// As policy.example.yaml, with limits that are counted but never reached. Both headers are given,
// because commits before they became defaults would sign other requests in npm run bench:compare.
const POLICY = `
issuers:
${(['RS256', 'ES256'] as const)
  .map(
    (alg) =>
      `  - { issuer: '${issuerOf(alg)}', audience: ${AUDIENCE}, jwksFile: jwks.json, algorithms: [${alg}] }`,
  )
  .join('\n')}
  - { issuer: '${issuerOf('HS256')}', audience: ${AUDIENCE}, secretEnv: BENCH_SECRET }
targets:
  media: { bucket: ${BUCKET}, region: ${REGION} }
rules:
  - name: own-files
    who: { scope: uploads:write, claims: { role: [member, admin] } }
    target: media
    prefix: users/{sub}/
    contentTypes: [image/*, video/mp4, application/pdf]
    maxSize: 50MiB
    expiresIn: { default: 10m, max: 1h }
    metadata: { allowed: [album, camera] }
    headers: { Content-Disposition: attachment, Cache-Control: 'private, no-cache' }
    limits: { requestsPerMinute: 1000000, bytesPerDay: 1000000GB }
`;
