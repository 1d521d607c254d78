import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../../src/auth/caller.ts';
import { decideUpload } from '../../src/policy/decide-upload.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import { mediaTypeEssence } from '../../src/policy/media-type.ts';
import { objectKeyFaults } from '../../src/policy/object-key.ts';
import type { Policy } from '../../src/policy/policy.ts';
import type { UploadRequest } from '../../src/policy/upload-request.ts';
import { isActiveType } from '../../src/policy/wildcard-types.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';

type Fields = Readonly<Record<string, unknown>>;

function policyOf(rules: readonly Fields[]): Policy {
  const issuers = ['https://login.test/', 'https://other.test/'].map((issuer) => ({
    issuer,
    audience: 'uploads',
  }));
  const targets = { media: mediaTarget(), archive: { bucket: 'acme-archive', region: 'cn-shanghai' } };
  const parsed = parsePolicy(policyWith({ issuers, targets, rules }), { env: {}, readFile: () => '' });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy;
}

const rule = (fields: Fields = {}): Fields => ({
  name: 'r',
  who: { scope: 's' },
  target: 'media',
  prefix: 'users/{sub}/',
  contentTypes: ['image/*'],
  maxSize: 100,
  ...fields,
});

const ALICE: Caller = {
  issuer: 'https://login.test/',
  subject: 'alice',
  scopes: ['s'],
  claims: {
    sub: 'alice',
    role: 'member',
    groups: ['a', 'b'],
    level: 3,
    isStaff: true,
    realm_access: { roles: ['offline_access', 'uploader'] },
    resource_access: { 'my.app': { roles: ['editor'] } },
    'kubernetes.io': 'k',
    'https://example.com/roles': ['admin'],
    '/x': 'y',
    'a~b': 'c',
    team: 'eng-web',
    paths: ['/tenants/7'],
  },
};

const PHOTO: UploadRequest = {
  key: 'users/alice/a.png',
  contentType: 'image/png',
  contentLength: 1,
  metadata: {},
  overwrite: false,
  transfer: 'put',
};

// biome-ignore lint/suspicious/noTemplateCurlyInString: OSS expands this text in the key of a form.
const EXPANDED = '${filename}';

const newObjectId = () => 'the-id';
const decide = (
  rules: readonly Fields[],
  change: Partial<UploadRequest> = {},
  caller: Partial<Caller> = {},
) => decideUpload(policyOf(rules), { ...ALICE, ...caller }, { ...PHOTO, ...change }, newObjectId);

function codesOf(decision: ReturnType<typeof decide>): readonly string[] {
  return decision.allowed
    ? ['allowed']
    : decision.violations.map(({ pointer, code }) => `${pointer} ${code}`);
}

describe('who', () => {
  it.each<[string, Fields, Partial<Caller>, boolean]>([
    ['one scope of several', { scope: 's' }, { scopes: ['x', 's'] }, true],
    ['no scope', { scope: 's' }, { scopes: [] }, false],
    ['a scope that begins alike', { scope: 's' }, { scopes: ['ss'] }, false],
    ['both scopes of a text', { scope: 's t' }, { scopes: ['t', 's'] }, true],
    ['one of two scopes', { scope: ['s', 't'] }, { scopes: ['s'] }, false],
    ['a claim', { claims: { role: 'member' } }, {}, true],
    ['one of the values of a claim', { claims: { role: ['admin', 'member'] } }, {}, true],
    ['another value', { claims: { role: 'admin' } }, {}, false],
    ['a value within a list', { claims: { groups: 'b' } }, {}, true],
    ['a value outside a list', { claims: { groups: 'c' } }, {}, false],
    ['a number', { claims: { level: 3 } }, {}, true],
    ['a number as text', { claims: { level: '3' } }, {}, false],
    ['true', { claims: { isStaff: true } }, {}, true],
    ['two claims of which one fails', { claims: { role: 'member', level: 4 } }, {}, false],
    ['a missing claim', { claims: { tenant: 'acme' } }, {}, false],
    ['a value in a nested list', { claims: { '/realm_access/roles': 'uploader' } }, {}, true],
    ['a value that a nested list lacks', { claims: { '/realm_access/roles': 'admin' } }, {}, false],
    ['a nested claim by dots', { claims: { 'realm_access.roles': 'uploader' } }, {}, false],
    ['a nested name with dots', { claims: { '/resource_access/my.app/roles': 'editor' } }, {}, true],
    ['an index of a list', { claims: { '/groups/0': 'a' } }, {}, false],
    ['the length of a list', { claims: { '/groups/length': 2 } }, {}, false],
    ['a member of a string', { claims: { '/role/length': 6 } }, {}, false],
    ['a claim with dots', { claims: { 'kubernetes.io': 'k' } }, {}, true],
    ['a claim with slashes and colons', { claims: { 'https://example.com/roles': 'admin' } }, {}, true],
    ['a claim that begins with a slash', { claims: { '/~1x': 'y' } }, {}, true],
    ['that claim without its escape', { claims: { '/x': 'y' } }, {}, false],
    ['a name with a tilde', { claims: { '/a~0b': 'c' } }, {}, true],
    ['a pattern', { claims: { team: 'eng-*' } }, {}, true],
    ['a pattern of the whole value', { claims: { team: 'eng-web*' } }, {}, true],
    ['a pattern of another value', { claims: { team: ['ops-*', 'eng-w-*'] } }, {}, false],
    ['a pattern within a list', { claims: { paths: '/tenants/*' } }, {}, true],
    ['a pattern next to a value', { claims: { role: ['member', 'eng-*'] } }, {}, true],
    ['a pattern and a number', { claims: { level: '3*' } }, {}, false],
    ['a pattern and true', { claims: { isStaff: 't*' } }, {}, false],
    ['a pattern and an object', { claims: { realm_access: '[o*' } }, {}, false],
    ['a name of Object’s prototype', { claims: { constructor: 'x' } }, {}, false],
    ['its issuer', { issuer: 'https://login.test/' }, {}, true],
    ['another issuer', { issuer: 'https://other.test/' }, {}, false],
    [
      'scope and claim and issuer together',
      { scope: 's', claims: { role: 'member' }, issuer: 'https://login.test/' },
      {},
      true,
    ],
  ])('%s', (_name, who, caller, allowed) => {
    expect(codesOf(decide([rule({ who })], {}, caller))).toStrictEqual([
      allowed ? 'allowed' : ' no_matching_rule',
    ]);
  });
});

describe('grants', () => {
  it('an upload that the rule allows, for the rule’s default time', () => {
    expect(decide([rule({ expiresIn: { default: '5m' } })])).toMatchObject({
      allowed: true,
      grant: { key: 'users/alice/a.png', rule: { name: 'r', expiresIn: { defaultSeconds: 300 } } },
    });
  });

  it('the requested time, up to the maximum', () => {
    expect(decide([rule({ expiresIn: { max: '20m' } })], { expiresIn: 1200 }).allowed).toBe(true);
    expect(codesOf(decide([rule({ expiresIn: { max: '20m' } })], { expiresIn: 1201 }))).toStrictEqual([
      '/expiresIn expiry_too_long',
    ]);
  });

  it('a key of its own making', () => {
    const decision = decide([rule({ naming: 'server' })], { key: undefined, filename: 'Photo.PNG' });
    expect(decision).toMatchObject({ grant: { key: 'users/alice/the-id.png' } });
  });

  it('exactly the maximum size, and an empty file', () => {
    expect(codesOf(decide([rule()], { contentLength: 100 }))).toStrictEqual(['allowed']);
    expect(codesOf(decide([rule()], { contentLength: 0 }))).toStrictEqual(['allowed']);
    expect(codesOf(decide([rule()], { contentLength: 101 }))).toStrictEqual(['/contentLength too_large']);
  });

  it('any length up to the limit of OSS, or none, if the rule is unlimited', () => {
    const unlimited = [rule({ maxSize: 'unlimited' })];
    expect(codesOf(decide(unlimited, { contentLength: undefined }))).toStrictEqual(['allowed']);
    expect(codesOf(decide(unlimited, { contentLength: 5 * 1024 ** 3 }))).toStrictEqual(['allowed']);
    expect(codesOf(decide(unlimited, { contentLength: 5 * 1024 ** 3 + 1 }))).toStrictEqual([
      '/contentLength too_large',
    ]);
  });

  it('by the first rule that allows all of it', () => {
    const rules = [rule({ name: 'small', maxSize: 1 }), rule({ name: 'first' }), rule({ name: 'second' })];
    expect(decide(rules, { contentLength: 50 })).toMatchObject({ grant: { rule: { name: 'first' } } });
  });

  it('by a rule of the requested target', () => {
    const rules = [rule(), rule({ name: 'archive', target: 'archive' })];
    expect(decide(rules, { target: 'archive' })).toMatchObject({ grant: { rule: { name: 'archive' } } });
    expect(decide(rules)).toMatchObject({ grant: { rule: { name: 'r' } } });
    expect(codesOf(decide(rules, { target: 'nowhere' }))).toStrictEqual(['/target no_matching_rule']);
  });

  it('metadata, headers and overwriting if the rule allows them', () => {
    const decision = decide(
      [
        rule({
          metadata: { allowed: ['a'], required: ['b'] },
          clientHeaders: ['cacheControl', 'contentDisposition', 'contentEncoding'],
          overwrite: true,
        }),
      ],
      {
        metadata: { a: '1', b: '2' },
        cacheControl: 'x',
        contentDisposition: 'x',
        contentEncoding: 'x',
        overwrite: true,
      },
    );
    expect(codesOf(decision)).toStrictEqual(['allowed']);
  });
});

describe('denies', () => {
  it.each<[string, Fields, Partial<UploadRequest>, string[]]>([
    ['a key outside', {}, { key: 'users/bob/a.png' }, ['/key key_outside_prefix']],
    ['a key that begins alike', {}, { key: 'users/alice2/a.png' }, ['/key key_outside_prefix']],
    ['the prefix itself', {}, { key: 'users/alice/' }, ['/key key_not_allowed']],
    ['a key that climbs', {}, { key: 'users/alice/../bob/a' }, ['/key key_not_allowed']],
    ['a key if the service makes it', { naming: 'server' }, {}, ['/key key_not_allowed']],
    [
      'a file name if the client makes the key',
      { naming: 'client' },
      { key: undefined, filename: 'a' },
      ['/filename key_not_allowed'],
    ],
    ['another type', {}, { contentType: 'video/mp4' }, ['/contentType content_type_not_allowed']],
    [
      'a type that browsers run',
      {},
      { contentType: 'image/svg+xml' },
      ['/contentType content_type_not_allowed'],
    ],
    ['no length', {}, { contentLength: undefined }, ['/contentLength length_required']],
    [
      'other metadata',
      { metadata: { allowed: ['a'] } },
      { metadata: { b: '1' } },
      ['/metadata/b metadata_not_allowed'],
    ],
    [
      'metadata named like a prototype’s',
      {},
      { metadata: { constructor: '1' } },
      ['/metadata/constructor metadata_not_allowed'],
    ],
    ['missing metadata', { metadata: { required: ['a'] } }, {}, ['/metadata/a metadata_missing']],
    ['caching', {}, { cacheControl: 'x' }, ['/cacheControl header_not_allowed']],
    [
      'a disposition',
      { clientHeaders: ['cacheControl'] },
      { contentDisposition: 'x' },
      ['/contentDisposition header_not_allowed'],
    ],
    ['an encoding', {}, { contentEncoding: 'x' }, ['/contentEncoding header_not_allowed']],
    ['overwriting', {}, { overwrite: true }, ['/overwrite overwrite_not_allowed']],
  ])('%s', (_name, fields, change, codes) => {
    expect(codesOf(decide([rule(fields)], change))).toStrictEqual(codes);
  });

  it.each<[string, Fields, Partial<UploadRequest>, Partial<Caller>, string]>([
    ['a form that the rule does not allow', { transfers: ['put'] }, {}, {}, '/transfer transfer_not_allowed'],
    ['no length', {}, { contentLength: undefined }, {}, '/contentLength length_required'],
    [
      'no length, also where the length of a PUT is free',
      { maxSize: 'unlimited' },
      { contentLength: undefined },
      {},
      '/contentLength length_required',
    ],
    [
      'a maximum above that of the rule',
      {},
      { contentLength: undefined, maxContentLength: 101 },
      {},
      '/maxContentLength too_large',
    ],
    [
      'a maximum above that of OSS',
      { maxSize: 'unlimited' },
      { contentLength: undefined, maxContentLength: 5 * 1024 ** 3 + 1 },
      {},
      '/maxContentLength too_large',
    ],
    ['a key that OSS expands', {}, { key: `users/alice/${EXPANDED}` }, {}, '/key key_not_allowed'],
    ['a key with the beginning of that', {}, { key: 'users/alice/a${' }, {}, '/key key_not_allowed'],
    [
      'a claim in the prefix that OSS expands',
      {},
      { key: undefined, filename: 'a' },
      { claims: { sub: EXPANDED } },
      ' key_not_allowed',
    ],
  ])('a form: %s', (_name, fields, change, caller, code) => {
    const decision = decide(
      [rule({ transfers: ['form'], ...fields })],
      { transfer: 'form', ...change },
      caller,
    );
    expect(codesOf(decision)).toStrictEqual([code]);
  });

  it.each<[string, Fields, Partial<UploadRequest>, string]>([
    ['that the rule does not allow', { transfers: ['put', 'form'] }, {}, '/transfer transfer_not_allowed'],
    ['above the maximum of the rule', {}, { contentLength: 101 }, '/contentLength too_large'],
    [
      'above the maximum of OSS',
      { maxSize: 'unlimited' },
      { contentLength: 53_687_091_200_001 },
      '/contentLength too_large',
    ],
    [
      'without a length',
      { maxSize: 'unlimited' },
      { contentLength: undefined },
      '/contentLength length_required',
    ],
    ['outside its prefix', {}, { key: 'users/bob/a.png' }, '/key key_outside_prefix'],
  ])('an upload in parts %s', (_name, fields, change, code) => {
    const rules = [rule({ transfers: ['multipart'], ...fields })];
    expect(codesOf(decide(rules, { transfer: 'multipart', ...change }))).toStrictEqual([code]);
  });

  it('more than one request can carry, and names multipart where the rule allows the size in parts', () => {
    const large = 5 * 1024 ** 3 + 1;
    const inParts = `The file has ${large} bytes; at most 5368709120 fit into one request; send "transfer": "multipart".`;
    const tooLarge = `The file has ${large} bytes; at most 5368709120 are allowed.`;
    const all = { transfers: ['put', 'form', 'multipart'] };
    const detailOf = (fields: Fields, change: Partial<UploadRequest>) => {
      const decision = decide([rule(fields)], change);
      return decision.allowed ? 'allowed' : decision.violations.map(({ detail }) => detail).join(' ');
    };
    for (const maxSize of ['6GiB', 'unlimited'])
      for (const transfer of ['put', 'form'] as const) {
        expect(detailOf({ ...all, maxSize }, { transfer, contentLength: large })).toBe(inParts);
        expect(detailOf({ ...all, maxSize }, { transfer, contentLength: large - 1 })).toBe('allowed');
        expect(detailOf({ ...all, maxSize }, { transfer: 'multipart', contentLength: large })).toBe(
          'allowed',
        );
      }
    const sent = { transfer: 'form', contentLength: undefined, maxContentLength: large } as const;
    expect(detailOf({ ...all, maxSize: '6GiB' }, sent)).toBe(
      `The file could have ${large} bytes; at most 5368709120 fit into one request; send "transfer": "multipart".`,
    );
    expect(detailOf({ transfers: ['put', 'form'], maxSize: 'unlimited' }, { contentLength: large })).toBe(
      tooLarge,
    );
    expect(detailOf({ ...all, maxSize: '5GiB' }, { contentLength: large })).toBe(tooLarge);
    expect(detailOf({ ...all, maxSize: 100 }, { contentLength: 101 })).toBe(
      'The file has 101 bytes; at most 100 are allowed.',
    );
    expect(detailOf({ ...all, maxSize: '6GiB' }, { contentLength: 7 * 1024 ** 3 })).toBe(
      'The file has 7516192768 bytes; at most 5368709120 are allowed.',
    );
    expect(detailOf({ ...all, maxSize: 'unlimited' }, { contentLength: 53_687_091_200_001 })).toBe(
      'The file has 53687091200001 bytes; at most 5368709120 are allowed.',
    );
  });

  it('a key that OSS would expand, but in forms only', () => {
    const put = decide([rule()], { key: `users/alice/${EXPANDED}` });
    expect(codesOf(put)).toStrictEqual(['allowed']);
    const form = decide([rule({ transfers: ['form'] })], {
      transfer: 'form',
      key: `users/alice/${EXPANDED}`,
    });
    expect(form.allowed ? [] : form.violations).toMatchObject([
      { detail: 'The key holds "${", which OSS expands in forms; leave it out, or upload by a PUT.' },
    ]);
  });

  it('a request for a server-made key if the prefix leaves no room for one', () => {
    const deep = [rule({ prefix: '{sub}/'.repeat(8) })];
    const decision = decide(deep, { key: undefined, filename: 'a' }, { claims: { sub: 'x'.repeat(128) } });
    expect(codesOf(decision)).toStrictEqual([' key_not_allowed']);
  });

  it('a caller whose claim is not a path segment, and names the claim', () => {
    const decision = decide([rule()], {}, { claims: { sub: '../bob' } });
    expect(decision).toStrictEqual({
      allowed: false,
      violations: [
        {
          pointer: '',
          code: 'no_matching_rule',
          detail:
            'The claim "sub" cannot be part of an object key: it must be 1–128 printable ASCII characters without "/" or "\\", and not "." or "..".',
        },
      ],
    });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['missing', {}, 'The token has no claim "sub".'],
    [
      'a list',
      { sub: ['alice'] },
      'The claim "sub" is neither a string nor a whole number, so it cannot be part of an object key.',
    ],
    ['empty', { sub: '' }, 'The claim "sub" is empty, so it cannot be part of an object key.'],
  ])('a caller whose claim is %s', (_name, claims, detail) => {
    expect(decide([rule()], {}, { claims })).toStrictEqual({
      allowed: false,
      violations: [{ pointer: '', code: 'no_matching_rule', detail }],
    });
  });

  it('a caller with such claims, each named once however many rules need it', () => {
    const rules = [rule(), rule({ name: 'second' }), rule({ name: 'third', prefix: 'users/{tenant}/' })];
    const decision = decide(rules, {}, { claims: { sub: '.' } });
    expect(decision).toMatchObject({
      violations: [
        { detail: expect.stringContaining('"sub"') },
        { detail: expect.stringContaining('"tenant"') },
      ],
    });
    expect(codesOf(decision)).toStrictEqual([' no_matching_rule', ' no_matching_rule']);
  });

  it('with everything that the nearest rule does not allow, and nothing of the others', () => {
    const rules = [
      rule({ name: 'elsewhere', prefix: 'secret-place/' }),
      rule({ name: 'near' }),
      rule({ name: 'far', maxSize: 1, contentTypes: ['text/plain'] }),
      rule({ name: 'others', who: { scope: 't' }, prefix: 'others-place/' }),
    ];
    const decision = decide(rules, { contentLength: 101, overwrite: true });
    expect(decision).toMatchObject({ allowed: false, rule: 'near' });
    expect(codesOf(decision)).toStrictEqual(['/contentLength too_large', '/overwrite overwrite_not_allowed']);
    expect(JSON.stringify(decision)).not.toMatch(/secret-place|others-place/);
  });

  it('makes no id for a request that it denies', () => {
    const deny = () =>
      decideUpload(
        policyOf([rule()]),
        ALICE,
        { ...PHOTO, key: undefined, filename: 'a', contentType: 'a/b' },
        () => {
          throw new Error('an id was made');
        },
      );
    expect(deny().allowed).toBe(false);
  });
});

it('for any request, a granted key is valid and in the caller’s own prefix, and browsers do not run the type', () => {
  const policy = policyOf([rule({ contentTypes: ['*/*'] })]);
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.constantFrom('..', '.', '', 'a', 'alice', 'bob', 'users', 'text', 'html', 'svg+xml', 'png'),
  );
  const path = fc.array(text, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/'));
  const key = fc.oneof(
    path,
    path.map((rest) => `users/alice/${rest}`),
  );
  const type = fc.tuple(text, text).map(([one, other]) => `${one}/${other}`);
  let granted = 0;
  fc.assert(
    fc.property(
      key,
      fc.oneof(type, fc.constant('image/png')),
      fc.string({ maxLength: 12 }),
      (wanted, contentType, sub) => {
        const caller = { ...ALICE, claims: { sub: sub || 'alice' } };
        const decision = decideUpload(policy, caller, { ...PHOTO, key: wanted, contentType }, newObjectId);
        const own = decideUpload(policy, ALICE, { ...PHOTO, key: wanted, contentType }, newObjectId);
        for (const [one, name] of [
          [decision, caller.claims.sub],
          [own, 'alice'],
        ] as const) {
          if (!one.allowed) continue;
          granted++;
          expect(one.grant.key.startsWith(`users/${name}/`)).toBe(true);
          expect(one.grant.key).toBe(wanted);
          expect(objectKeyFaults(one.grant.key)).toStrictEqual([]);
          expect(isActiveType(mediaTypeEssence(contentType) ?? 'text/html')).toBe(false);
        }
      },
    ),
    { numRuns: 1000 },
  );
  expect(granted).toBeGreaterThan(50);
});

/** `x-oss-meta-source: web`, and the grant id of an object whose key the caller chose. */
const [SOURCE_BYTES, MARK_BYTES] = [20, 'x-oss-meta-upload-id'.length + 36];

it.each([
  ['as many bytes as OSS accepts, with the rule’s', {}, SOURCE_BYTES + MARK_BYTES],
  ['more without receipts, which need no grant id', { receipts: false }, SOURCE_BYTES],
  ['more with a server-made key, which needs no grant id', { naming: 'server' }, SOURCE_BYTES],
])('metadata may have %s, and no byte more', (_title, fields, ownBytes) => {
  const rules = [
    rule({ metadata: { allowed: ['album'] }, headers: { 'X-Oss-Meta-Source': 'web' }, ...fields }),
  ];
  const naming = 'naming' in fields ? { key: undefined, filename: 'a.png' } : {};
  const most = 8192 - ownBytes - 'x-oss-meta-album'.length;
  const decideOn = (length: number) => decide(rules, { ...naming, metadata: { album: 'v'.repeat(length) } });
  expect(codesOf(decideOn(most))).toStrictEqual(['allowed']);
  const decision = decideOn(most + 1);
  expect(codesOf(decision)).toStrictEqual(['/metadata metadata_not_allowed']);
  expect(decision.allowed ? '' : decision.violations[0]?.detail).toBe(
    `The metadata has ${8193 - ownBytes} bytes, names (with "x-oss-meta-") and values, and the rule adds ${ownBytes}; at most 8192 are allowed in all.`,
  );
});

it.each([
  ['255 bytes', 's'.repeat(255), true],
  ['85 characters of 3 bytes', '語'.repeat(85), true],
  ['256 bytes', `${'語'.repeat(85)}s`, false],
  ['255 characters of 3 bytes', '語'.repeat(255), false],
])('a caller whose subject has %s gets an upload with a receipt: %o', (_title, subject, isAllowed) => {
  const decideBy = (fields: Fields) => decide([rule({ ...fields, prefix: 'users/' })], {}, { subject });
  expect(codesOf(decideBy({}))).toStrictEqual([isAllowed ? 'allowed' : ' no_matching_rule']);
  expect(codesOf(decideBy({ receipts: false }))).toStrictEqual(['allowed']);
  const decision = decideBy({});
  if (!decision.allowed)
    expect(decision.violations[0]?.detail).toBe(
      "The token's `sub` claim has more than 255 bytes of UTF-8, so an upload of this caller cannot have a receipt, which the rule requires.",
    );
});

it('a caller whose issuer has more than 255 bytes gets no upload with a receipt', () => {
  const caller = { issuer: `https://login.test/${'i'.repeat(240)}` };
  expect(codesOf(decide([rule({})], {}, caller))).toStrictEqual([' no_matching_rule']);
  expect(codesOf(decide([rule({ receipts: false })], {}, caller))).toStrictEqual(['allowed']);
});

it('a grant has the id of its server-made key, and an id of its own where the caller chose the key', () => {
  const asked: string[] = [];
  const newGrantId = ({ name }: { readonly name: string }) => {
    asked.push(name);
    return '019ab000-0000-7000-8000-000000000001';
  };
  const rules = [rule({ naming: 'either' })];
  const decideOn = (change: Partial<UploadRequest>) => {
    const decision = decideUpload(policyOf(rules), ALICE, { ...PHOTO, ...change }, newGrantId);
    if (!decision.allowed) throw new Error(JSON.stringify(decision));
    return decision.grant;
  };
  const made = decideOn({ key: undefined, filename: 'a.png' });
  expect(made.grantId).toBe('019ab000-0000-7000-8000-000000000001');
  expect(made.key).toContain(made.grantId);
  expect(decideOn({}).grantId).toBe('019ab000-0000-7000-8000-000000000001');
  expect(codesOf(decide(rules, { contentType: 'text/x-unknown' }))).not.toStrictEqual(['allowed']);
  expect(asked).toStrictEqual([made.rule.name, made.rule.name]);
});

it('explains why a wildcard does not match a type that begins like it', () => {
  const decision = decide([rule({ naming: 'either' })], { contentType: 'Image/JPG' });
  expect(decision.allowed ? [] : decision.violations).toStrictEqual([
    {
      pointer: '/contentType',
      code: 'content_type_not_allowed',
      detail:
        'The content type must be one of: image/*. A "*" matches registered (IANA) media types only, and image/jpg is not one: the rule has to name it in contentTypes.',
    },
  ]);
});
