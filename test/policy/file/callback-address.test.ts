import { expect, it } from 'vitest';
import { callbackFaults, callbackWarnings } from '../../../src/policy/file/callback-address.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { policyFrom } from '../../support/test-app.ts';
import { createTestIssuer } from '../../support/tokens.ts';

function policyOf(callback: boolean) {
  return policyFrom(policyWith({ rules: [ownFilesRule({ callback })] }), createTestIssuer());
}

it.each([
  'https://presign.example.com',
  'https://presign.example.com/with/path',
  'https://93.184.215.14:8443',
])('accepts %s, which OSS can call', (publicUrl) => {
  expect(callbackFaults(policyOf(true), { publicUrl })).toStrictEqual([]);
  expect(callbackWarnings(policyOf(true), { publicUrl, hasCallbackKey: false })).toStrictEqual([]);
});

it.each([
  'http://localhost:8080',
  'http://127.0.0.1:8080',
  'https://10.1.2.3',
  'https://169.254.1.1',
  'https://100.64.0.1',
  'https://presign',
  'https://presign.internal',
])('warns of %s, which OSS cannot call, if a rule has a callback and its key is that of OSS', (publicUrl) => {
  expect(callbackFaults(policyOf(true), { publicUrl })).toStrictEqual([]);
  expect(callbackWarnings(policyOf(true), { publicUrl, hasCallbackKey: false })).toStrictEqual([
    `The rule own-files has callback: true, but OSS cannot call PUBLIC_URL ${publicUrl} from the internet: it rejects the uploads, or responds to them with 203. Set PUBLIC_URL to a public address.`,
  ]);
  expect(callbackWarnings(policyOf(true), { publicUrl, hasCallbackKey: true })).toStrictEqual([]);
  expect(callbackWarnings(policyOf(false), { publicUrl, hasCallbackKey: false })).toStrictEqual([]);
});

it.each(['http://[::1]:8080', 'https://[2001:4860:4860::8888]', 'https://[fd00::1]'])(
  'rejects %s, which OSS never calls, if a rule has a callback',
  (publicUrl) => {
    expect(callbackFaults(policyOf(true), { publicUrl })).toStrictEqual([
      `The rule own-files has callback: true, but PUBLIC_URL ${publicUrl} is an IPv6 address, which OSS never calls. Set PUBLIC_URL to a host name.`,
    ]);
    expect(callbackFaults(policyOf(false), { publicUrl })).toStrictEqual([]);
  },
);
