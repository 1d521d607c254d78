import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { codeBlocks } from './documents.ts';
import { testIssuerEntry } from './policies.ts';
import { serviceKeysFile } from './service-keys.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator, type TestEmulator } from './test-emulator.ts';
import { startTestService } from './test-service.ts';
import { startWire, type Wire } from './wire.ts';

/** The parts that {@link startMultipartEnvironment} grants: the smallest ones. */
export const PART_BYTES = 100 * 1024;

export type MultipartEnvironment = {
  readonly emulator: TestEmulator;
  readonly service: Wire;
  readonly oss: Wire;
  /** A token of `alice`. */
  readonly token: string;
  /** Takes `multipart` from the transfers of the rule. */
  endMultipart(): void;
};

const serviceKeys = serviceKeysFile('2026-11');
const { rules } = parse(codeBlocks('docs/large-files.md', 'yaml')[0] ?? '');

/**
 * Starts service and OSS, each behind a wire, with the rule of docs/large-files.md. They stop when
 * the test ends.
 */
export async function startMultipartEnvironment(): Promise<MultipartEnvironment> {
  const emulator = await startTestEmulator();
  const oss = await startWire(emulator.url);
  onTestFinished(oss.close);
  const { url, issuer, replacePolicy } = await startTestService({
    policyYaml: policyYaml(oss.url, { partSize: PART_BYTES }),
    env: {
      OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId,
      OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret,
      SERVICE_KEYS_FILE: 'service-keys.json',
      PUBLIC_URL: 'https://presign.example.com',
    },
    files: { 'service-keys.json': () => serviceKeys },
  });
  const service = await startWire(url);
  onTestFinished(service.close);
  return {
    emulator,
    service,
    oss,
    token: await issuer.sign(),
    endMultipart: () => replacePolicy(policyYaml(oss.url, { transfers: ['put'], maxSize: '5GiB' })),
  };
}

function policyYaml(endpoint: string, change: Readonly<Record<string, unknown>>): string {
  const [{ partSize: _, ...rule }] = rules;
  return stringify({
    issuers: [testIssuerEntry()],
    targets: { media: { bucket: BUCKET, region: REGION, endpoint } },
    rules: [{ ...rule, ...change }],
  });
}
