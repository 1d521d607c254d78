import { expect, it } from 'vitest';
import { createDenialLimiter } from '../../src/limits/denial-limiter.ts';
import type { Rule } from '../../src/policy/policy.ts';
import { createAppWithRules } from '../support/app-with-rules.ts';
import { medianTurnMs } from '../support/longest-turn.ts';
import { ownFilesRule } from '../support/policies.ts';
import { createTestIssuer } from '../support/tokens.ts';

/** How long one request may keep the event loop from all others, in CPU time: the README promises it. */
const MAX_TURN_MS = 50;
const MAX_BODY_BYTES = 1_048_576;

const issuer = createTestIssuer();

type Caller = {
  /** Of the caller's token. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Further conditions of a rule. */
  readonly whoOf?: (index: number) => Partial<Rule['who']>;
};

/** Sends bodies to a service whose rules all apply to the caller, with a long token of temporary credentials. */
async function slowBodies(
  ruleCount: number,
  bodies: Readonly<Record<string, string>>,
  { claims = {}, whoOf }: Caller = {},
) {
  const rule = ownFilesRule({ transfers: ['put', 'form'], metadata: { allowed: ['a'] }, overwrite: true });
  const { app } = await createAppWithRules(ruleCount, rule, issuer, {
    whoOf,
    denials: createDenialLimiter({ nowMs: () => 0, denialsPerMinute: 1_000_000 }),
  });
  const headers = {
    authorization: `Bearer ${await issuer.sign(claims)}`,
    'content-type': 'application/json',
  };
  const slow: string[] = [];
  const statuses: Record<string, string> = {};
  for (const [name, payload] of Object.entries(bodies)) {
    expect(Buffer.byteLength(payload), name).toBeLessThanOrEqual(MAX_BODY_BYTES);
    const turnMs = await medianTurnMs(MAX_TURN_MS, async () => {
      const request = { method: 'POST', url: '/v1/uploads/batch', headers, payload } as const;
      const response = await app.inject(request);
      const { items = [] } = response.json() as { readonly items?: readonly { readonly status: number }[] };
      const ofItems = [...new Set(items.map(({ status }) => status))].join(' and ');
      statuses[name] = [response.statusCode, ofItems].filter(Boolean).join(': ');
    });
    if (turnMs >= MAX_TURN_MS) slow.push(`${name}: ${Math.round(turnMs)} ms`);
  }
  return { slow, statuses };
}

const PHOTO = { contentType: 'image/png', contentLength: 1 };

const batch = (itemOf: (index: number) => object) =>
  JSON.stringify({ items: Array.from({ length: 100 }, (_, index) => itemOf(index)) });
const keyed = (unit: string, count: number, others: object = {}) =>
  batch((index) => ({ ...PHOTO, key: `users/alice/${index}${unit.repeat(count)}`, ...others }));
const members = (count: number, name: (index: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [name(index), 'x']));

const BODIES = {
  'short keys': keyed('.png', 1),
  'the longest of everything': keyed('a', 1005, {
    contentType: 'image/png',
    contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
    metadata: { a: 'x'.repeat(7500) },
    overwrite: true,
  }),
  'forms with the longest of everything': keyed('a', 1005, {
    transfer: 'form',
    metadata: { a: 'x'.repeat(7500) },
    overwrite: true,
  }),
  'keys of another caller': batch((index) => ({ ...PHOTO, key: `users/bob/${index}${'x'.repeat(1000)}` })),
  'keys of slashes with every violation': batch(() => ({
    ...{ key: '/'.repeat(1023), contentType: 'video/mp4', contentLength: 2 ** 50, expiresIn: 604_801 },
    ...{ contentEncoding: 'gzip', contentDisposition: 'x', overwrite: true },
  })),
  'metadata that no rule allows': keyed('a', 1, { metadata: members(90, (index) => `n${index}`) }),
  'keys that are not normalized': keyed('a\u0301\u0323', 200),
  'a type with many parameters': keyed('a', 1, { contentType: `video/webm;a=${'b,'.repeat(100)}c` }),
  'long file names': batch(() => ({ ...PHOTO, filename: '😀\u200d'.repeat(340) })),
  'many unknown fields': keyed(
    'a',
    1,
    members(90, (index) => `contentTyp${index}`),
  ),
  'long unknown fields': keyed(
    'a',
    1,
    members(90, (index) => `${'contentType'.repeat(6)}${index}`),
  ),
  'one item with many unknown fields': JSON.stringify({
    items: [members(9900, (index) => `contentTyp${index}`)],
  }),
  'values of other types': batch(() => ({ key: 1, contentType: [], metadata: 1, target: {}, transfer: 2 })),
};

/** The kinds that thousands of rules make slower. */
const SLOWEST: readonly string[] = [
  ...['the longest of everything', 'forms with the longest of everything', 'keys of another caller'],
  ...['keys of slashes with every violation', 'metadata that no rule allows', 'keys that are not normalized'],
];

it.each([1, 3000])('batches of every kind, with %d rules', async (ruleCount) => {
  const kinds = Object.entries(BODIES).filter(([name]) => ruleCount === 1 || SLOWEST.includes(name));
  const { slow, statuses } = await slowBodies(ruleCount, Object.fromEntries(kinds));
  expect(slow).toStrictEqual([]);
  expect(statuses).toMatchObject({
    'the longest of everything': '200: 201',
    'forms with the longest of everything': '200: 201',
    'keys of another caller': '200: 403',
    'metadata that no rule allows': '200: 403',
  });
});

const numbered = (count: number, unit: string) =>
  Array.from({ length: count }, (_, index) => `${unit}${index.toString(36)}`);

const LARGEST_CLAIMS = {
  'many scopes': { scope: ['uploads:write', ...numbered(2300, 's')].join(' ') },
  'many groups': { groups: numbered(1600, 'g') },
  'many scopes and groups': {
    scope: ['uploads:write', ...numbered(1100, 's')].join(' '),
    groups: numbered(900, 'g'),
  },
};

const groups = { source: 'groups', path: ['groups'] as const };

it.each<[string, (index: number) => Partial<Rule['who']>]>([
  ['that admit the caller', () => ({})],
  ['of other scopes', (index) => ({ scope: ['uploads:write', 's0', `other-${index}`] })],
  [
    'of other groups',
    (index) => ({ claims: [{ claim: groups, values: [`h${index}`], prefixes: [`team-${index}-`, 'h'] }] }),
  ],
  [
    'of some groups of the caller',
    (index) => ({ claims: [{ claim: groups, values: [`h${index}`, 'g1'], prefixes: ['h', 'g'] }] }),
  ],
])('3,000 rules %s, with the largest tokens', async (_name, whoOf) => {
  const slowest = Object.fromEntries(Object.entries(BODIES).filter(([name]) => SLOWEST.includes(name)));
  for (const [name, claims] of Object.entries(LARGEST_CLAIMS)) {
    const { slow, statuses } = await slowBodies(3000, slowest, { claims, whoOf });
    expect(slow, name).toStrictEqual([]);
    expect(statuses['keys of another caller'], name).toBe('200: 403');
  }
});

it('bodies of nonsense', async () => {
  const { slow, statuses } = await slowBodies(1, {
    'too many items': `{"items":[${'{},'.repeat(5000)}{}]}`,
    'items of long texts': JSON.stringify({ items: Array.from({ length: 100 }, () => 'x'.repeat(10_000)) }),
    'many unknown fields': JSON.stringify(members(9900, (index) => `items${index}`)),
    'deep items': `{"items":[${'['.repeat(500_000)}${']'.repeat(500_000)}]}`,
    'one long text': `{"items":"${'\\u0061'.repeat(170_000)}"}`,
    blanks: ' '.repeat(MAX_BODY_BYTES),
  });
  expect(slow).toStrictEqual([]);
  expect(statuses).toMatchObject({ 'too many items': '400', 'items of long texts': '200: 400' });
});
