import fc from 'fast-check';
import { expect, it } from 'vitest';
import { decideUpload } from '../../src/policy/decide-upload.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import { propertyRuns } from '../support/property-runs.ts';
import {
  MEDIA_TYPES,
  type ModelCaller,
  type ModelRequest,
  type ModelRule,
  modelDecision,
} from './policy-model.ts';

const GIB = 1024 ** 3;
const DECISIONS_PER_POLICY = 10;
const ISSUERS = ['https://a.test/', 'https://b.test/'];

const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 2 });
const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const subset = <T>(...values: readonly T[]) => fc.subarray([...values]);

const CLAIMS = [
  'sub',
  'team',
  'level',
  'groups',
  'https://a.test/t',
  'a.b',
  '/org/team',
  '/org/no',
  '/~1x',
  '/org/list',
  '/org/list/0',
  '/groups/0',
  'constructor',
];
// biome-ignore lint/suspicious/noTemplateCurlyInString: OSS expands this text in the key of a form.
const EXPANDED = '${filename}';
const VALUES = ['alice', 'bob', 'eng-web', 'eng', '7', 7, 0, true, 'x/y', 'ä', EXPANDED] as const;

const accepted = some<string | number | boolean>(...VALUES.slice(0, 9), 'eng-*', 'a*', '7*', 'x/*');
const conditions = fc.dictionary(
  some(...CLAIMS),
  fc.oneof(accepted, fc.array(accepted, { minLength: 1, maxLength: 3 })),
  {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  },
);
const who = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ scope: some<string | string[]>('up', 'up down', ['up'], ['down', 'up']) }),
  },
  { weight: 1, arbitrary: fc.record({ issuer: some(...ISSUERS) }) },
  { weight: 2, arbitrary: fc.record({ claims: conditions }) },
  { weight: 1, arbitrary: fc.record({ issuer: some(...ISSUERS), scope: some('up'), claims: conditions }) },
);

const rule = fc
  .record({
    who,
    target: some('media', 'archive'),
    prefix: some(
      'users/{sub}/',
      'users/{sub}/',
      'users/',
      '{team}/',
      't/u-{level}/',
      '{/org/team}/{sub}/',
      '{groups}/',
      '{a.b}/x/',
      '{constructor}/',
      '{/~1x}/',
      '{/groups/0}/',
    ),
    naming: optional(some('client', 'server', 'either', 'either')),
    contentTypes: fc.uniqueArray(
      some('*/*', 'image/*', 'Image/PNG', 'text/plain', 'application/*', 'text/html', 'application/x-acme'),
      { minLength: 1, maxLength: 3 },
    ),
    maxSize: some<number | 'unlimited'>('unlimited', 10, 100, 5 * GIB),
    expiresIn: optional(
      some<NonNullable<ModelRule['expiresIn']>>(
        60,
        { max: 60 },
        { default: 60 },
        { default: 7200 },
        { default: 30, max: 90 },
      ),
    ),
    metadata: optional(
      fc.record({ allowed: optional(subset('a', 'b')), required: optional(some([], [], ['c'])) }),
    ),
    overwrite: optional(fc.boolean()),
    transfers: optional(
      some<NonNullable<ModelRule['transfers']>>(['put'], ['form'], ['put', 'form'], ['put', 'multipart']),
    ),
    clientHeaders: optional(subset('cacheControl', 'contentDisposition', 'contentEncoding')),
  })
  // A larger file needs parts.
  .map((fields) => ({
    ...fields,
    maxSize: fields.transfers?.includes('multipart') && fields.maxSize === 5 * GIB ? 6 * GIB : fields.maxSize,
  }))
  // Removes undefined fields, as a file has none.
  .map((fields) => JSON.parse(JSON.stringify(fields)) as Omit<ModelRule, 'name'>);

const rules: fc.Arbitrary<readonly ModelRule[]> = fc
  .array(rule, { minLength: 1, maxLength: 4 })
  .map((all) => all.map((one, index) => ({ name: `r${index}`, ...one })));

const value = some<unknown>(
  ...VALUES,
  ['eng-web', 7],
  ['bob'],
  [],
  null,
  '',
  '.',
  '..',
  1.5,
  -0,
  2 ** 53,
  'x'.repeat(129),
  { x: 1 },
  true,
);
const caller: fc.Arbitrary<ModelCaller> = fc.record({
  issuer: some(...ISSUERS),
  scopes: some(['up'], ['up', 'down'], ['down'], ['u', 'upp'], []),
  claims: fc.record(
    {
      sub: fc.oneof({ weight: 3, arbitrary: some('alice', 'bob') }, value),
      team: value,
      level: value,
      groups: value,
      'https://a.test/t': value,
      'a.b': value,
      '/x': value,
      x: value,
      a: fc.record({ b: value }),
      org: fc.oneof(
        value,
        fc.record({ team: value, no: value, list: some(['eng-web'], [7]) }, { requiredKeys: [] }),
      ),
    },
    { requiredKeys: ['sub'] },
  ),
});

const segment = some(
  'users',
  'users',
  'alice',
  'alice',
  'bob',
  't',
  'u-7',
  'eng-web',
  'x',
  'a.png',
  'é',
  'e\u0301',
  '',
  '.',
  '..',
  'a\\b',
  'a\u202eb',
  'a\n',
  '用户',
  'x'.repeat(1020),
  EXPANDED,
);
const key = fc.oneof(
  {
    weight: 3,
    arbitrary: some('users/alice/a.png', 'users/bob/a/b', 'users/a', 'eng-web/alice/a', 't/u-7/a', 'bob/x/a'),
  },
  {
    weight: 2,
    arbitrary: fc.array(segment, { minLength: 1, maxLength: 5 }).map((segments) => segments.join('/')),
  },
);
const contentType = fc
  .tuple(some(...Object.keys(MEDIA_TYPES)), some('', '', '; charset=UTF-8', ';a="b;c"'), fc.boolean())
  .map(([type, parameters, isUpper]) => (isUpper ? type.toUpperCase() : type) + parameters);

const request: fc.Arbitrary<ModelRequest> = fc
  .tuple(
    fc.oneof(fc.record({ key }), fc.record({ filename: some('a.png', 'a', 'a.html', '../x') })),
    fc.record({
      contentType: fc.oneof({ weight: 2, arbitrary: some('image/png') }, contentType),
      overwrite: some(false, false, true),
      transfer: some<ModelRequest['transfer']>('put', 'put', 'form', 'multipart'),
      metadata: fc.oneof(
        fc.constant({}),
        fc.dictionary(some('a', 'b', 'c'), fc.constant('v'), { maxKeys: 3, noNullPrototype: true }),
      ),
    }),
    fc
      .record(
        {
          contentLength: some(0, 10, 11, 101, 5 * GIB, 5 * GIB + 1, 6 * GIB + 1, 50_000 * GIB + 1),
          maxContentLength: some(0, 10, 5 * GIB + 1),
          expiresIn: some(1, 60, 61, 90, 3600, 3601),
          cacheControl: some('no-store'),
          contentDisposition: some('inline'),
          contentEncoding: some('gzip'),
          target: some('media', 'archive', 'nowhere'),
        },
        { requiredKeys: [] },
      )
      .map(({ contentLength, maxContentLength, ...rest }) => ({
        ...(contentLength !== undefined && { contentLength }),
        // A request has one of the two.
        ...(contentLength === undefined && maxContentLength !== undefined && { maxContentLength }),
        // Most requests choose little, so that some are granted.
        ...((contentLength ?? 0) > 10 ? rest : {}),
      })),
  )
  .map(([name, required, { maxContentLength, ...chosen }]) => ({
    ...required,
    ...chosen,
    ...name,
    // The schema of requests rejects it for a PUT.
    ...(required.transfer === 'form' && maxContentLength !== undefined && { maxContentLength }),
  }));

function policyOf(modelRules: readonly ModelRule[]) {
  const file = {
    issuers: ISSUERS.map((issuer) => ({ issuer, audience: 'uploads' })),
    targets: {
      media: { bucket: 'acme-media', region: 'cn-hangzhou' },
      archive: { bucket: 'acme-archive', region: 'cn-shanghai' },
    },
    rules: modelRules,
  };
  const parsed = parsePolicy(JSON.stringify(file), { env: {}, readFile: () => '' });
  if ('faults' in parsed) throw new Error(JSON.stringify([parsed.faults, modelRules]));
  return parsed.policy;
}

it('decides as an independent model of the policy does', () => {
  const seen = new Map<string, number>();
  const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1);
  const decisions = fc.array(fc.tuple(caller, request), {
    minLength: DECISIONS_PER_POLICY,
    maxLength: DECISIONS_PER_POLICY,
  });
  fc.assert(
    fc.property(rules, decisions, (modelRules, asked) => {
      const policy = policyOf(modelRules);
      for (const [who, what] of asked) {
        const model = modelDecision(modelRules, who, what);
        const decision = decideUpload(policy, { subject: 'any', ...who }, what, () => 'the-id');
        const input = JSON.stringify({ modelRules, who, what });
        expect(decision.allowed, input).toBe(model.allowed);
        if (decision.allowed && model.allowed) {
          count('allowed');
          const { grant } = decision;
          expect(
            [grant.rule.name, what.expiresIn ?? grant.rule.expiresIn.defaultSeconds],
            input,
          ).toStrictEqual([model.rule, model.expiresInSeconds]);
          if (what.key !== undefined) expect(grant.key).toBe(what.key);
          else
            expect(grant.key.replace(/(the-id)\.[a-z0-9]{1,10}$/, '$1'), input).toBe(`${model.prefix}the-id`);
        } else if (!decision.allowed && !model.allowed) {
          const codes = new Set(decision.violations.map((violation) => violation.code));
          for (const code of codes) count(code);
          if (decision.rule === undefined) {
            expect(model.codes.size, input).toBe(0);
            expect([...codes], input).toStrictEqual(['no_matching_rule']);
          } else {
            expect(codes, input).toStrictEqual(model.codes.get(decision.rule));
          }
        }
      }
    }),
    { numRuns: propertyRuns(1000), seed: 15 },
  );
  const outcomes = [
    ...[
      'allowed',
      'no_matching_rule',
      'key_outside_prefix',
      'key_not_allowed',
      'content_type_not_allowed',
      'too_large',
    ],
    ...[
      'length_required',
      'metadata_not_allowed',
      'metadata_missing',
      'header_not_allowed',
      'expiry_too_long',
      'overwrite_not_allowed',
      'transfer_not_allowed',
    ],
  ];
  for (const outcome of outcomes)
    expect(seen.get(outcome) ?? 0, outcome).toBeGreaterThan(propertyRuns(1000) / 50);
});
