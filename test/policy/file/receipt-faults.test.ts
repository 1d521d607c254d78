import { expect, it } from 'vitest';
import { type ReceiptSettings, receiptFaults } from '../../../src/policy/file/receipt-faults.ts';
import { ownFilesRule, policyWith, testIssuerEntry } from '../../support/policies.ts';
import { policyFrom } from '../../support/test-app.ts';
import { createTestIssuer } from '../../support/tokens.ts';

const PUBLIC_URL = 'https://presign.example.com';
const SETTINGS: ReceiptSettings = { publicUrl: PUBLIC_URL, hasServiceKeysFile: true };
const issuer = createTestIssuer();
type Fields = Readonly<Record<string, unknown>>;

function faultsOf(
  { entry = {}, rule = {} }: { readonly entry?: Fields; readonly rule?: Fields },
  settings: Partial<ReceiptSettings> = {},
): readonly string[] {
  const policy = policyWith({ issuers: [testIssuerEntry(entry)], rules: [ownFilesRule(rule)] });
  return receiptFaults(policyFrom(policy, issuer), { ...SETTINGS, ...settings });
}

const IS_ISSUER = `PUBLIC_URL ${PUBLIC_URL} is also an issuer of the policy, so a receipt could pass as its token. Set PUBLIC_URL to the address of this service.`;
const IS_AUDIENCE = `PUBLIC_URL ${PUBLIC_URL} is also an audience of an issuer, so a receipt of the rule own-files could pass as a token. Set receiptAudience in the rule, or another PUBLIC_URL.`;
const IS_RECEIPT_AUDIENCE =
  'The receiptAudience of the rule own-files is also an audience of an issuer, so a receipt could pass as a token. Choose another one.';

it('accepts a policy whose issuers and audiences are others', () => {
  expect(faultsOf({})).toStrictEqual([]);
  expect(faultsOf({ entry: { audience: [`${PUBLIC_URL}/api`, 'presign.example.com'] } })).toStrictEqual([]);
  expect(faultsOf({ rule: { receiptAudience: 'my-backend' } })).toStrictEqual([]);
});

it.each([PUBLIC_URL, `${PUBLIC_URL}/`])('rejects PUBLIC_URL that is the issuer %s', (name) => {
  expect(faultsOf({ entry: { issuer: name } })).toStrictEqual([IS_ISSUER]);
  // Also for a rule without receipts, because another one may have them.
  expect(faultsOf({ entry: { issuer: name }, rule: { receipts: false } })).toStrictEqual([IS_ISSUER]);
});

it('rejects PUBLIC_URL that is the issuer of one of several tenants', () => {
  const tenant = '9188040d-6c67-4c5b-b112-36a304b66dad';
  const entry = {
    issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
    tenants: ['72f988bf-86f1-41af-91ab-2d7cd011db47', tenant],
  };
  const publicUrl = `https://login.microsoftonline.com/${tenant}/v2.0`;
  expect(faultsOf({ entry }, { publicUrl })).toHaveLength(1);
  expect(faultsOf({ entry }, { publicUrl: publicUrl.replace(tenant, 'other') })).toStrictEqual([]);
});

it.each([PUBLIC_URL, `${PUBLIC_URL}/`, ['other', PUBLIC_URL]])(
  'rejects the audience %s where receipts have PUBLIC_URL as theirs',
  (audience) => {
    expect(faultsOf({ entry: { audience } })).toStrictEqual([IS_AUDIENCE]);
    expect(faultsOf({ entry: { audience }, rule: { receiptAudience: 'my-backend' } })).toStrictEqual([]);
    expect(faultsOf({ entry: { audience }, rule: { receipts: false } })).toStrictEqual([]);
  },
);

it.each(['uploads', 'uploads/'])('rejects a receiptAudience that is an audience: %s', (receiptAudience) => {
  expect(faultsOf({ rule: { receiptAudience } })).toStrictEqual([IS_RECEIPT_AUDIENCE]);
  expect(faultsOf({ rule: { receiptAudience, receipts: false } })).toStrictEqual([]);
});

it('rejects confirm in actions without a file of service keys', () => {
  const policy = policyFrom(
    policyWith({
      rules: [
        ownFilesRule(),
        {
          name: 'backend',
          actions: ['confirm'],
          who: { scope: 'uploads:confirm' },
          target: 'media',
          prefix: 'users/',
        },
      ],
    }),
    issuer,
  );
  expect(receiptFaults(policy, SETTINGS)).toStrictEqual([]);
  expect(receiptFaults(policy, { ...SETTINGS, hasServiceKeysFile: false })).toStrictEqual([
    'The rule backend has confirm in actions, which needs SERVICE_KEYS_FILE: without it, upload ids are valid for one process only. Create the file with oss-presign keygen.',
  ]);
});

it('rejects callback: true without a file of service keys', () => {
  const rule = { callback: true };
  expect(faultsOf({ rule })).toStrictEqual([]);
  expect(faultsOf({ rule }, { hasServiceKeysFile: false })).toStrictEqual([
    'The rule own-files has callback: true, which needs SERVICE_KEYS_FILE: without it, upload ids are valid for one process only. Create the file with oss-presign keygen.',
  ]);
});

it('rejects multipart in transfers without a file of service keys', () => {
  const rule = { transfers: ['put', 'multipart'] };
  expect(faultsOf({ rule })).toStrictEqual([]);
  expect(faultsOf({ rule }, { hasServiceKeysFile: false })).toStrictEqual([
    'The rule own-files has multipart in transfers, which needs SERVICE_KEYS_FILE: without it, upload ids are valid for one process only. Create the file with oss-presign keygen.',
  ]);
  expect(faultsOf({ rule: { transfers: ['put', 'form'] } }, { hasServiceKeysFile: false })).toStrictEqual([]);
  const both = { ...rule, actions: ['upload', 'confirm'] };
  expect(faultsOf({ rule: both }, { hasServiceKeysFile: false })).toHaveLength(2);
});
