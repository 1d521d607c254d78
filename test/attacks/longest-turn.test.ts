import type { FastifyInstance, InjectOptions } from 'fastify';
import { expect, it } from 'vitest';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import type { Rule } from '../../src/policy/policy.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { medianTurnMs } from '../support/longest-turn.ts';
import { policyWith } from '../support/policies.ts';
import { PHOTO } from '../support/requests.ts';
import { createTestApp, policyFrom, storageOf } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

/** How long one request may keep the event loop from all others, in CPU time: the README promises it. */
const MAX_TURN_MS = 50;

const MAX_BODY_BYTES = 65_536;
const MAX_HEADER_CHARACTERS = 15_000;

/** A text that has made patterns, parsers or normalization slow: its start, what is repeated, and an end that does not match. */
type Tail = readonly [start: string, unit: string, end: string];

const ASCII_TAILS: readonly Tail[] = [
  ['', 'a', '\u007f'],
  ['a', ' ', 'x'],
  ['', '"', ''],
  ['image/png;a="', '\\"', ''],
  ['image/png', ';a=b', ';'],
  ['image/png', '; a="b"', ' '],
  ['image/png', ' ; ', ''],
  ['image/png;a=b', ',c/', ''],
  ['', '%', ''],
  ['', '%41', '%'],
  ['', '../', '.'],
  ['', '.a', ''],
  ['', '\\', ''],
  ['', '-', ''],
  ['', 'A', '='],
  ['', ',', ''],
];

const TAILS: readonly Tail[] = [
  ...ASCII_TAILS,
  ['', 'a', 'é'],
  ['', ' ', '\u0000'],
  ['', '\u0000', ''],
  ['a', '\u0301\u0323', ''],
  ['', '\u1100', '\u0301'],
  ['', 'क\u094d\u200d', ''],
  ['', '\u200d', ''],
  ['', '\ud83d', ''],
  ['', '😀\u200d', ''],
  ['', '~/', ''],
];

/** The longest text of this kind that takes at most `size` bytes or characters. */
function fill([start, unit, end]: Tail, size: number, sizeOf: (text: string) => number): string {
  const count = Math.floor((size - sizeOf(start) - sizeOf(end)) / sizeOf(unit));
  return `${start}${unit.repeat(count)}${end}`;
}

const inJson = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;
const inCharacters = (text: string): number => text.length;

/** Collects the inputs that took too long, so that a failure names them. */
function createMeter(app: FastifyInstance) {
  const slow: string[] = [];
  const statuses = new Set<number>();
  return {
    slow,
    statuses,
    async send(name: string, request: InjectOptions): Promise<void> {
      const turnMs = await medianTurnMs(MAX_TURN_MS, async () => {
        statuses.add((await app.inject(request)).statusCode);
      });
      if (turnMs >= MAX_TURN_MS) slow.push(`${name}: ${Math.round(turnMs)} ms`);
    },
  };
}

async function meteredApp(overrides: Parameters<typeof createTestApp>[0] = {}) {
  const testApp = await createTestApp(overrides);
  const meter = createMeter(testApp.app);
  const token = await testApp.issuer.sign();
  return {
    ...meter,
    token,
    testApp,
    post(name: string, payload: string, authorization = `Bearer ${token}`): Promise<void> {
      expect(Buffer.byteLength(payload)).toBeLessThanOrEqual(MAX_BODY_BYTES);
      const headers = { authorization, 'content-type': 'application/json' };
      return meter.send(name, { method: 'POST', url: '/v1/uploads', headers, payload });
    },
  };
}

const PHOTO_MEMBERS = JSON.stringify(PHOTO).slice(1, -1);
const MAX_FILL_LENGTH =
  MAX_BODY_BYTES - JSON.stringify({ ...PHOTO, contentDisposition: '', metadata: { a: '' } }).length;

it.each([
  ['key', 1023],
  ['filename', 1024],
  ['contentType', 255],
  ['contentMd5', 24],
  ['cacheControl', 1024],
  ['contentDisposition', 1024],
  ['contentEncoding', 1024],
  ['target', 64],
  ['surprise', 64],
])('the string %s, at its longest and as long as the body allows', async (field, maxLength) => {
  const { post, slow, statuses } = await meteredApp();
  for (const tail of TAILS) {
    for (const text of [fill(tail, maxLength, inCharacters), fill(tail, MAX_FILL_LENGTH, inJson)]) {
      await post(`${JSON.stringify(tail)}, ${text.length}`, JSON.stringify({ ...PHOTO, [field]: text }));
    }
  }
  expect(slow).toStrictEqual([]);
  expect(statuses).toContain(field === 'key' ? 403 : 400);
});

it.each<[string, number, (text: string) => unknown]>([
  ['a metadata value', 8176, (text) => ({ ...PHOTO, metadata: { album: text } })],
  ['a metadata name', 128, (text) => ({ ...PHOTO, metadata: { [text]: 'x' } })],
  ['the name of an unknown field', 64, (text) => ({ ...PHOTO, [text]: 1 })],
])('%s, at its longest and as long as the body allows', async (_name, maxLength, bodyOf) => {
  const { post, slow, statuses } = await meteredApp();
  for (const tail of TAILS) {
    for (const text of [fill(tail, maxLength, inCharacters), fill(tail, MAX_FILL_LENGTH, inJson)]) {
      await post(`${JSON.stringify(tail)}, ${text.length}`, JSON.stringify(bodyOf(text)));
    }
  }
  expect(slow).toStrictEqual([]);
  expect(statuses).toContain(400);
});

const list = (count: number, member: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => member(index)).join(',');
const withMembers = (members: string) => `{${PHOTO_MEMBERS},${members}}`;
const withMetadata = (entries: string) => withMembers(`"metadata":{${entries}}`);

it.each([
  ['unknown fields', withMembers(list(7000, (index) => `"${index}":1`))],
  ['unknown fields close to known ones', withMembers(list(3300, (index) => `"contentTyp${index}":1`))],
  [
    'long unknown fields',
    withMembers(list(900, (index) => `"${'contentType'.repeat(6).slice(0, 60)}${index}":1`)),
  ],
  ['one field many times', withMembers(list(10_000, () => '"a":1'))],
  ['metadata entries, too many', withMetadata(list(6000, (index) => `"${index}":"x"`))],
  ['metadata entries, as many as allowed', withMetadata(list(630, (index) => `"${index.toString(36)}":"x"`))],
  ['metadata names in two cases', withMetadata(list(315, (index) => `"A${index}":"x","a${index}":"x"`))],
  ['bad metadata names', withMetadata(list(630, (index) => `"_${'x'.repeat(80)}${index}":1`))],
  ['deep metadata', withMetadata(`"a":${'['.repeat(32_000)}${']'.repeat(32_000)}`)],
  ['deep lists', `${'['.repeat(32_000)}${']'.repeat(32_000)}`],
  ['deep objects', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['deep objects in a field', withMembers(`"x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`)],
  ['wide lists', withMembers(`"x":[${list(20_000, () => '{}')}]`)],
  ['a long whole number', withMembers(`"expiresIn":${'1'.repeat(64_000)}`)],
  ['a long fraction', withMembers(`"expiresIn":0.${'1'.repeat(64_000)}`)],
  ['a long exponent', withMembers(`"expiresIn":1e${'1'.repeat(64_000)}`)],
  ['prototypes as text', withMembers(`"x":[${list(5000, () => '"__proto__"')}]`)],
  ['blanks after a prototype', withMembers(`"x":[${list(10, () => `"__proto__"${' '.repeat(6000)}`)}]`)],
  [
    'a text like a prototype next to deep objects',
    withMembers(`"y":"\\"__proto__\\":","x":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`),
  ],
  ['blanks', ' '.repeat(MAX_BODY_BYTES)],
])('a body of %s', async (name, body) => {
  const { post, slow } = await meteredApp();
  await post(name, body);
  expect(slow).toStrictEqual([]);
});

const repeated = (unit: string) => unit.repeat(Math.floor(MAX_HEADER_CHARACTERS / unit.length));

/** Headers that some part of the service reads, each with texts made for its own grammar. */
const HEADERS: Readonly<Record<string, readonly string[]>> = {
  authorization: [
    `Bearer ${repeated('a')}`,
    `Bearer ${repeated('.')}`,
    `Bearer ${repeated('a ')}`,
    `Bearer${repeated(' ')}x`,
    `bearer ${repeated('e30')}.e30.e30`,
    `Bearer ${Buffer.from(`{"alg":"ES256","kid":"${'k'.repeat(8000)}"}`).toString('base64url')}.e30.AAAA`,
    `Bearer eyJhbGciOiJFUzI1NiJ9.${Buffer.from('{"a":'.repeat(1500)).toString('base64url')}.AAAA`,
    `Bearer eyJhbGciOiJFUzI1NiJ9.${Buffer.from(`{"iss":"${'\\u0000'.repeat(1000)}"}`).toString('base64url')}.AAAA`,
  ],
  'content-type': [
    `application/json${repeated(' ')};x`,
    `application/json;${repeated('charset=utf-8;')}`,
    `application/json; charset="${repeated('\\"')}`,
    `application/${repeated('json/')}`,
  ],
  'content-encoding': [repeated('gzip,')],
  'accept-encoding': [
    repeated('gzip;q=0'),
    `gzip;q=0.${repeated('0')}1`,
    `gzip${repeated(' ')}`,
    repeated('gzip '),
  ],
  'if-none-match': [repeated('"", '), repeated('W/')],
  origin: [`https://app.test${repeated('.')}`, repeated('https://app.test,')],
  'access-control-request-headers': [repeated('a,'), repeated(' ,'), repeated('authorization,')],
  'access-control-request-method': [repeated('POST,')],
  traceparent: [`00-${repeated('0')}`, `00-${'1'.repeat(32)}-${'1'.repeat(16)}-00-${repeated('-')}`],
  'x-request-id': [repeated('a'), repeated('.')],
  'x-forwarded-for': [repeated('127.0.0.1,'), repeated('::1, '), repeated('1:'), repeated('256.')],
  cookie: [repeated('a=b;'), repeated('a=b; ')],
  host: [repeated('a.'), repeated('[')],
  'idempotency-key': [repeated('a')],
  forwarded: [repeated('for=a;')],
};

it.each(Object.entries(HEADERS))('the header %s', async (header, texts) => {
  const { send, slow, token } = await meteredApp({
    corsOrigins: ['https://app.test'],
    trustProxy: ['127.0.0.1/32'],
  });
  const authorization = `Bearer ${token}`;
  for (const text of [
    ...texts,
    ...ASCII_TAILS.map((tail) => fill(tail, MAX_HEADER_CHARACTERS, inCharacters)),
  ]) {
    const name = text.slice(0, 40);
    await send(name, {
      method: 'POST',
      url: '/v1/uploads',
      headers: { authorization, 'content-type': 'application/json', [header]: text },
      payload: JSON.stringify(PHOTO),
    });
    await send(name, { url: '/docs', headers: { [header]: text } });
    await send(name, {
      method: 'OPTIONS',
      url: '/v1/uploads',
      headers: { origin: 'https://app.test', 'access-control-request-method': 'POST', [header]: text },
    });
  }
  expect(slow).toStrictEqual([]);
});

it('many small headers', async () => {
  const { send, slow, token } = await meteredApp({ corsOrigins: ['https://app.test'] });
  const many = Object.fromEntries(Array.from({ length: 1900 }, (_, index) => [`x${index}`, 'a']));
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...many };
  await send('many', { method: 'POST', url: '/v1/uploads', headers, payload: JSON.stringify(PHOTO) });
  expect(slow).toStrictEqual([]);
});

it.each([
  `/${repeated('a/')}`,
  `/v1/uploads${repeated('/')}`,
  `/v1/uploads${repeated('%2f')}`,
  `/v1/uploads${repeated('%')}`,
  `/v1/uploads?${repeated('a&')}`,
  `/v1/uploads?${repeated('a=%41&')}`,
  `/v1/uploads?${repeated('%')}`,
  `/v1/uploads;${repeated('a;')}`,
  `/docs/${repeated('a')}`,
  `/docs/${repeated('%41')}`,
  `/${repeated('../')}`,
  `/${repeated('*')}`,
])('the address %.20s…', async (url) => {
  const { send, slow, token } = await meteredApp({ corsOrigins: ['https://app.test'] });
  const headers = { authorization: `Bearer ${token}`, origin: 'https://app.test' };
  for (const method of ['GET', 'POST', 'OPTIONS'] as const) await send(method, { method, url, headers });
  expect(slow).toStrictEqual([]);
});

/** An app with a policy of 3,000 rules, each made from the one of the YAML text. */
async function appWithManyRules(change: (rule: Rule, index: number) => Partial<Rule>) {
  const issuer = createTestIssuer();
  const { rules, ...others } = policyFrom(policyWith(), issuer);
  const [rule] = rules;
  if (!rule) throw new Error('the test policy has no rule');
  const policy = {
    ...others,
    rules: Array.from({ length: 3000 }, (_, index) => ({
      ...rule,
      name: `rule-${index}`,
      ...change(rule, index),
    })),
  };
  const keySources = createKeySources({ clock: fixedClock, fetch });
  const verifier = createTokenVerifier({ issuers: policy.issuers, clock: fixedClock, keySources });
  const active = { policy, verifier, storage: storageOf(policy) };
  const app = await meteredApp({ active: () => active });
  return { ...app, issuer };
}

const LARGEST_CLAIMS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'a plain token': {},
  'many scopes': {
    scope: `uploads:write ${list(2900, (index) => index.toString(36)).replaceAll(',', ' ')}`,
  },
  'a scope of blanks': { scope: `uploads:write${' '.repeat(11_000)}x` },
  'long lists': { groups: Array.from({ length: 1500 }, (_, index) => `x${index}`) },
  'many claims': Object.fromEntries(Array.from({ length: 1200 }, (_, index) => [`n${index}`, 1])),
  'deep claims': { n: JSON.parse(`${'['.repeat(5500)}${']'.repeat(5500)}`) },
};

const DENIED_BODIES = {
  'another type': JSON.stringify({ ...PHOTO, contentType: `video/webm;a=${'b,'.repeat(100)}c` }),
  'metadata that no rule allows': withMetadata(list(510, (index) => `"n${index}":"x"`)),
  'a key that is not normalized': JSON.stringify({
    ...PHOTO,
    key: `users/alice/${'a\u0301\u0323'.repeat(200)}`,
  }),
  'everything at once': JSON.stringify({
    ...PHOTO,
    key: '/'.repeat(1023),
    contentEncoding: 'gzip',
    contentDisposition: 'x',
    expiresIn: 604_801,
    overwrite: true,
    contentLength: 2 ** 50,
  }),
};

const claimNamed = (name: string) => ({ source: name, path: [name] as const });
const groupsOf = (index: number) => ({
  claim: claimNamed('groups'),
  values: [`g${index}`, `h${index}`],
  prefixes: [`team-${index}-`],
});

it.each<[string, (rule: Rule, index: number) => Partial<Rule>]>([
  ['that admit the caller', () => ({})],
  ['of other scopes', ({ who }, index) => ({ who: { ...who, scope: [`scope-${index}`] } })],
  ['of other groups', ({ who }, index) => ({ who: { ...who, claims: [groupsOf(index)] } })],
  [
    'of other claims',
    ({ who }, index) => ({
      who: { ...who, claims: [{ ...groupsOf(index), claim: claimNamed(`c${index}`) }] },
    }),
  ],
])('3,000 rules %s, with the largest tokens', async (_name, change) => {
  const { post, send, slow, statuses, issuer } = await appWithManyRules(change);
  for (const [claimsName, claims] of Object.entries(LARGEST_CLAIMS)) {
    const authorization = `Bearer ${await issuer.sign(claims)}`;
    for (const [name, body] of Object.entries(DENIED_BODIES)) {
      await post(`${claimsName}, ${name}`, body, authorization);
    }
    await send(`${claimsName}, GET /v1/policy`, { url: '/v1/policy', headers: { authorization } });
  }
  expect(slow).toStrictEqual([]);
  expect(statuses).toStrictEqual(new Set([403, 200]));
});
