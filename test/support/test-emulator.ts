import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type EmulatorEvent, type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts';
import { type PresignInput, presign } from '../../src/storage/oss/signing/presign.ts';
import { fixedClock, now } from './fixed-clock.ts';

export const BUCKET = 'acme-media';
export const REGION = 'cn-hangzhou';
export const LONG_LIVED = { accessKeyId: 'LTAI5tTestKey', accessKeySecret: 'TestSecret0123456789' };
export const TEMPORARY = {
  accessKeyId: 'STS.NUTestKey',
  accessKeySecret: 'StsSecret0123456789',
  securityToken: 'CAIStoken/with+plus==',
};

export type TestEmulator = {
  readonly url: string;
  readonly port: number;
  readonly callbackPublicKey: string;
  /** The names of all files on its disk: one for each object, and one for each upload under way. */
  files(): readonly string[];
  readonly events: readonly EmulatorEvent[];
  /** A URL signed by our own signer for this emulator. */
  presign(change?: Partial<PresignInput>): string;
  /** PUT with text as body. */
  put(key: string, body: string | Uint8Array<ArrayBuffer>, change?: Partial<PresignInput>): Promise<Response>;
  /** The end of a test closes it too. */
  close(): Promise<void>;
};

/** An emulator on a frozen clock with one bucket, closed and emptied when the test ends. */
export async function startTestEmulator(options: Partial<EmulatorOptions> = {}): Promise<TestEmulator> {
  const directory = mkdtempSync(join(tmpdir(), 'oss-emulator-test-'));
  const events: EmulatorEvent[] = [];
  const emulator = await startEmulator({
    directory,
    buckets: { [BUCKET]: { region: REGION, domains: ['upload.example.com'] } },
    credentials: [LONG_LIVED, TEMPORARY],
    clock: fixedClock,
    onRequest: (event) => events.push(event),
    ...options,
  });
  onTestFinished(async () => {
    await emulator.close();
    rmSync(directory, { recursive: true });
  });
  const sign = (change: Partial<PresignInput> = {}) =>
    presign({
      credentials: LONG_LIVED,
      method: 'PUT',
      region: REGION,
      bucket: BUCKET,
      key: 'a.txt',
      endpoint: { url: emulator.url, addressing: 'path' },
      headers: {},
      signedAt: now,
      expiresInSeconds: 600,
      ...change,
    }).url;
  return {
    ...emulator,
    events,
    files: () =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => entry.name),
    presign: sign,
    put: (key, body, change = {}) => {
      const headers = { 'content-type': 'text/plain', ...change.headers };
      return fetch(sign({ key, ...change, headers }), { method: 'PUT', body, headers });
    },
  };
}

/** The elements of an error's XML by name. */
export function readXml(xml: string): Readonly<Record<string, string>> {
  const decode = (text: string) =>
    text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
  return Object.fromEntries(
    [...xml.matchAll(/<(\w+)>([^<]*)<\/\1>/g)].map(([, name, text]) => [name, decode(text ?? '')]),
  );
}
