import { createVerify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { callbackSignedData } from '../../src/emulator/callbacks/callback-key.ts';

type Vector = {
  readonly name: string;
  readonly input: {
    readonly requestPath: string;
    /** Without `?`. */
    readonly requestQuery: string;
    readonly headers: { readonly authorization: string };
    readonly body: string;
    readonly publicKeyPem: string;
  };
  /** `stringToVerify` is null for a call that was changed on its way. */
  readonly expected: { readonly stringToVerify: string | null; readonly valid: boolean };
};

const { vectors }: { readonly vectors: readonly Vector[] } = JSON.parse(
  readFileSync(new URL('../storage/oss/signing/vectors/callback-calls.json', import.meta.url), 'utf8'),
);

it('has valid and invalid calls', () => {
  expect(vectors.filter(({ expected }) => expected.valid).length).toBeGreaterThanOrEqual(7);
  expect(vectors.filter(({ expected }) => !expected.valid).length).toBeGreaterThanOrEqual(2);
});

it.each(vectors)('signs the same data as OSS: $name', ({ input, expected }) => {
  const { requestPath, requestQuery, body, publicKeyPem, headers } = input;
  const search = requestQuery === '' ? '' : `?${requestQuery}`;
  const data = callbackSignedData(requestPath, search, Buffer.from(body));
  expect(data.toString()).toBe(expected.stringToVerify ?? data.toString());
  const verify = createVerify('RSA-MD5').update(data);
  expect(verify.verify(publicKeyPem, headers.authorization, 'base64')).toBe(expected.valid);
});
