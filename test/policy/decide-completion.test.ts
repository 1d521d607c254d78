import { expect, it } from 'vitest';
import type { Caller } from '../../src/auth/caller.ts';
import {
  type CoveredUpload,
  decideCompletion,
  findCallbackRule,
} from '../../src/policy/decide-completion.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';

type Fields = Readonly<Record<string, unknown>>;

const TARGETS = {
  media: mediaTarget(),
  mirror: mediaTarget(),
  archive: mediaTarget({ bucket: 'acme-archive' }),
  abroad: mediaTarget({ region: 'cn-shanghai' }),
};

function policyOf(rules: readonly Fields[], targets: Readonly<Record<string, Fields>> = TARGETS): Policy {
  const issuers = ['https://login.test/', 'https://other.test/'].map((issuer) => ({
    issuer,
    audience: 'uploads',
  }));
  const parsed = parsePolicy(policyWith({ issuers, targets, rules }), { env: {}, readFile: () => '' });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy;
}

const own = (fields: Fields = {}): Fields => ({
  name: 'own-files',
  who: { scope: 'upload' },
  target: 'media',
  prefix: 'users/{sub}/',
  contentTypes: ['image/*'],
  maxSize: 100,
  ...fields,
});

const confirming = (fields: Fields = {}): Fields => ({
  name: 'app-server',
  actions: ['confirm'],
  who: { scope: 'confirm' },
  target: 'media',
  prefix: 'users/',
  ...fields,
});

function callerOf(fields: Partial<Caller> = {}): Caller {
  const subject = fields.subject ?? 'alice';
  return { issuer: 'https://login.test/', subject, scopes: ['upload'], claims: { sub: subject }, ...fields };
}

const SERVER = callerOf({ subject: 'app-server', scopes: ['confirm'] });

const UPLOAD: CoveredUpload = {
  transfer: 'put',
  rule: 'own-files',
  target: 'media',
  bucket: 'acme-media',
  region: 'cn-hangzhou',
  key: 'users/alice/a.png',
  caller: { issuer: 'https://login.test/', subject: 'alice' },
};

/** The names of the rules that cover an upload. */
function coverage(
  policy: Policy,
  caller: Caller,
  upload: CoveredUpload = UPLOAD,
  { isConfirmEnough = true } = {},
) {
  const covered = decideCompletion(policy, caller, upload, { isConfirmEnough });
  return covered && [covered.rule.name, covered.by.name];
}

it('lets the caller of an upload use its id by the rule of the upload', () => {
  const policy = policyOf([own({ name: 'other' }), own(), confirming()]);
  expect(coverage(policy, callerOf())).toStrictEqual(['own-files', 'own-files']);
});

it('lets only the caller of an upload use its id where a rule with confirm is not enough', () => {
  const policy = policyOf([own({ actions: ['upload', 'confirm'] }), confirming()]);
  const only = { isConfirmEnough: false };
  expect(coverage(policy, callerOf(), UPLOAD, only)).toStrictEqual(['own-files', 'own-files']);
  for (const other of [SERVER, callerOf({ subject: 'bob', claims: { sub: 'alice' } })]) {
    expect(coverage(policy, other)).toBeDefined();
    expect(coverage(policy, other, UPLOAD, only)).toBeUndefined();
  }
});

it('does not compare what the rule now allows an upload to be', () => {
  const stricter = own({
    contentTypes: ['video/mp4'],
    maxSize: 1,
    naming: 'server',
    overwrite: true,
    expiresIn: '1s',
    headers: { 'Cache-Control': 'no-store' },
    limits: { requestsPerMinute: 1 },
  });
  expect(coverage(policyOf([stricter]), callerOf())).toStrictEqual(['own-files', 'own-files']);
});

it.each<[string, Partial<Caller>]>([
  ['another subject', { subject: 'bob' }],
  ['another subject whose claims have the same folder', { subject: 'bob', claims: { sub: 'alice' } }],
  ['the same subject of another issuer', { issuer: 'https://other.test/' }],
  ['the caller without the scope of the rule', { scopes: [] }],
  ['the caller whose claim now resolves to another folder', { claims: { sub: 'alicia' } }],
  ['the caller without the claim of the prefix', { claims: {} }],
])('does not let %s use it', (_title, caller) => {
  expect(coverage(policyOf([own()]), callerOf(caller))).toBeUndefined();
});

it.each<[string, readonly Fields[], Readonly<Record<string, Fields>>?]>([
  ['is gone', [own({ name: 'renamed' })]],
  [
    'has no uploads any more',
    [confirming({ name: 'own-files', who: { scope: 'upload' } }), own({ name: 'r' })],
  ],
  ['has no receipts any more', [own({ receipts: false })]],
  ['names another target for the same bucket', [own({ target: 'mirror' })]],
  ['names another target', [own({ target: 'archive' })]],
  [
    'has a target with another bucket',
    [own()],
    { ...TARGETS, media: mediaTarget({ bucket: 'acme-media2' }) },
  ],
  ['has a target with another region', [own()], { ...TARGETS, media: mediaTarget({ region: 'cn-beijing' }) }],
  ['has another prefix', [own({ prefix: 'people/{sub}/' })]],
  ['has a narrower prefix', [own({ prefix: 'users/{sub}/photos/' })]],
])('does not let anybody use it if the rule of the upload %s', (_title, rules, targets = TARGETS) => {
  const policy = policyOf([...rules, confirming()], targets);
  expect([coverage(policy, callerOf()), coverage(policy, SERVER)]).toStrictEqual([undefined, undefined]);
});

it('does not let anybody use an upload of a transfer that the rule does not allow', () => {
  const upload = { ...UPLOAD, transfer: 'other' as 'put' };
  const policy = policyOf([own(), confirming()]);
  expect([coverage(policy, callerOf(), upload), coverage(policy, SERVER, upload)]).toStrictEqual([
    undefined,
    undefined,
  ]);
});

it.each<[string, Fields]>([
  ['a rule for a folder above', {}],
  ['a rule with another target for the same bucket', { target: 'mirror' }],
  ['a rule for exactly this folder', { prefix: 'users/alice/' }],
])('lets another caller confirm the upload by %s', (_title, fields) => {
  const policy = policyOf([confirming({ name: 'elsewhere', prefix: 'logs/' }), own(), confirming(fields)]);
  expect(coverage(policy, SERVER)).toStrictEqual(['own-files', 'app-server']);
});

it('does not require the confirming caller to match the rule of the upload, or its caller still to match', () => {
  const policy = policyOf([own({ who: { scope: 'other' } }), confirming()]);
  expect(coverage(policy, SERVER)).toStrictEqual(['own-files', 'app-server']);
});

it('takes the first rule with confirm that reaches the key', () => {
  const policy = policyOf([own(), confirming({ name: 'first' }), confirming()]);
  expect(coverage(policy, SERVER)).toStrictEqual(['own-files', 'first']);
});

it('lets the callers of a rule with upload and confirm confirm what others uploaded into their folder', () => {
  const shared = own({ actions: ['upload', 'confirm'], prefix: 'shared/' });
  const upload = { ...UPLOAD, key: 'shared/a.png' };
  expect(coverage(policyOf([shared]), callerOf({ subject: 'bob' }), upload)).toStrictEqual([
    'own-files',
    'own-files',
  ]);
});

it.each<[string, Fields]>([
  ['for another prefix', { prefix: 'logs/' }],
  ['for another folder of the same beginning', { prefix: 'users/ali/' }],
  ['for another bucket', { target: 'archive' }],
  ['for a bucket of this name in another region', { target: 'abroad' }],
  ['for other callers', { who: { scope: 'other' } }],
  ['for another issuer', { who: { issuer: 'https://other.test/' } }],
  ['with a claim that the caller lacks', { prefix: 'users/{tenant}/' }],
  ['with a claim of the caller that is another folder', { prefix: 'users/{sub}/' }],
  ['with download only', { actions: ['download'] }],
])('does not let another caller confirm it by a rule %s', (_title, fields) => {
  expect(coverage(policyOf([own(), confirming(fields)]), SERVER)).toBeUndefined();
});

it('does not let another caller confirm an upload that the prefix of its rule cannot produce', () => {
  const policy = policyOf([own({ prefix: 'users/{sub}/in/' }), confirming()]);
  expect(coverage(policy, SERVER, { ...UPLOAD, key: 'users/alice/out/a.png' })).toBeUndefined();
  expect(coverage(policy, SERVER, { ...UPLOAD, key: 'users/alice/in/a.png' })).toBeDefined();
});

const calling = (fields: Fields = {}): Fields => own({ callback: true, ...fields });

it('finds the rule of an upload that the storage reports', () => {
  const policy = policyOf([calling({ name: 'other' }), calling({ transfers: ['put', 'form'] })]);
  expect(findCallbackRule(policy, UPLOAD)?.name).toBe('own-files');
  expect(findCallbackRule(policy, { ...UPLOAD, transfer: 'form' })?.name).toBe('own-files');
});

it.each<[string, Fields, Partial<CoveredUpload>?]>([
  ['its rule has no callback', { callback: false }],
  ['its rule has another name', { name: 'renamed' }],
  ['its rule does not have its transfer', {}, { transfer: 'form' }],
  ['it is a multipart upload', { transfers: ['put', 'multipart'] }, { transfer: 'multipart' }],
  ['its rule names another target', { target: 'mirror' }],
  ['its rule names another bucket', { target: 'archive' }, { target: 'archive' }],
  ['its rule names another region', { target: 'abroad' }, { target: 'abroad' }],
  ['its key is not below the prefix of the rule', { prefix: 'people/{sub}/' }],
])('finds no rule for an upload that the storage reports if %s', (_title, rule, upload = {}) => {
  expect(findCallbackRule(policyOf([calling(rule)]), { ...UPLOAD, ...upload })).toBeUndefined();
});
