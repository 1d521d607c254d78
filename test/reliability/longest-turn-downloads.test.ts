import { expect, it } from 'vitest';
import { createAppWithRules } from '../support/app-with-rules.ts';
import { downloadRule } from '../support/downloads.ts';
import { medianTurnMs } from '../support/longest-turn.ts';
import { createTestIssuer } from '../support/tokens.ts';

/** How long one request may keep the event loop from all others, in CPU time: the README promises it. */
const MAX_TURN_MS = 50;
const MAX_BODY_BYTES = 1_048_576;

const issuer = createTestIssuer();

/** Sends bodies to a service whose rules all apply to the caller, with a long token of temporary credentials. */
async function slowBodies(ruleCount: number, bodies: Readonly<Record<string, string>>) {
  const { app } = await createAppWithRules(ruleCount, downloadRule(), issuer);
  const headers = { authorization: `Bearer ${await issuer.sign()}`, 'content-type': 'application/json' };
  const slow: string[] = [];
  const statuses: Record<string, number> = {};
  for (const [name, payload] of Object.entries(bodies)) {
    expect(Buffer.byteLength(payload), name).toBeLessThanOrEqual(MAX_BODY_BYTES);
    const turnMs = await medianTurnMs(MAX_TURN_MS, async () => {
      const request = { method: 'POST', url: '/v1/downloads', headers, payload } as const;
      statuses[name] = (await app.inject(request)).statusCode;
    });
    if (turnMs >= MAX_TURN_MS) slow.push(`${name}: ${Math.round(turnMs)} ms`);
  }
  return { slow, statuses };
}

const keys = (keyOf: (index: number) => string) =>
  JSON.stringify({ keys: Array.from({ length: 1000 }, (_, index) => keyOf(index)) });
const ending = (unit: string, count: number) => (index: number) =>
  `users/alice/${index}${unit.repeat(count)}`;

/** As many members as fit into the body. */
function filled(start: string, member: (index: number) => string, end: string): string {
  const members: string[] = [];
  let bytes = start.length + end.length;
  for (let index = 0; ; index++) {
    const text = member(index);
    bytes += text.length + 1;
    if (bytes > MAX_BODY_BYTES) return start + members.join(',') + end;
    members.push(text);
  }
}

const KEYS = {
  'short keys': keys(ending('.png', 1)),
  'the longest keys': keys(ending('a', 1005)),
  'the longest keys of three bytes a character': keys(ending('报', 335)),
  'keys of syllables that normalization joins': keys(ending('\u1100', 335)),
  'keys with many combining marks': keys(ending('a\u0301\u0323', 150)),
  'keys with many joiners': keys(ending('क\u094d\u200d', 110)),
  'keys with many emoji': keys(ending('😀\u200d', 140)),
  'keys with many segments': keys(ending('/a', 500)),
  'keys with many dot segments': keys(ending('/..', 330)),
  'keys of another caller': keys((index) => `users/bob/${index}${'x'.repeat(1000)}`),
  'keys of control characters': keys(ending('\u0000', 160)),
  'one key as long as the body': JSON.stringify({ key: 'a\u0301'.repeat(340_000) }),
};

/** The kinds that thousands of rules make slower. */
const SLOWEST = ['the longest keys', 'keys of another caller', 'one key as long as the body'];

it.each([1, 3000])('keys of every kind, with %d rules', async (ruleCount) => {
  const kinds = Object.entries(KEYS).filter(([name]) => ruleCount === 1 || SLOWEST.includes(name));
  const { slow, statuses } = await slowBodies(ruleCount, Object.fromEntries(kinds));
  expect(slow).toStrictEqual([]);
  expect(new Set(Object.values(statuses))).toStrictEqual(new Set([200, 403]));
});

it('bodies of nonsense', async () => {
  const nested = (start: string, end: string, depth: number) => start.repeat(depth) + end.repeat(depth);
  const { slow, statuses } = await slowBodies(1, {
    'too many keys': filled('{"keys":[', () => '""', ']}'),
    'lists as keys': filled('{"keys":[', () => '[]', ']}'),
    'numbers as keys': filled('{"keys":[', () => '1', ']}'),
    'unknown fields': filled('{', (index) => `"${index.toString(36)}":1`, '}'),
    'indices as fields': filled('{', (index) => `"${index * 40_000}":1`, '}'),
    'one field many times': filled('{', () => '"keys":[]', '}'),
    'objects with different members': filled('{"x":[', (index) => `{"${index.toString(36)}":1}`, ']}'),
    'members of an object': filled('{"x":{', (index) => `"a${index.toString(36)}":1`, '}}'),
    'prototypes next to members': filled(
      '{"y":"\\"__proto__\\":","x":{',
      (index) => `"a${index.toString(36)}":1`,
      '}}',
    ),
    'a constructor next to items': filled('{"constructor":{"a":1},"keys":[', () => '1', ']}'),
    'a constructor next to short texts': filled('{"constructor":1,"x":[', () => '""', ']}'),
    'a prototype behind items': filled('{"x":[', () => '1', '],"y":{"z":{"__proto__":1}}}'),
    'prototypes as texts': filled('{"x":[', () => '"__proto__"', ']}'),
    'a text of escapes': `{"key":"${'\\u0061'.repeat(170_000)}"}`,
    'a text of quotes': `{"x":"${'\\"'.repeat(500_000)}"}`,
    'a long number': `{"expiresIn":0.${'1'.repeat(1_000_000)}}`,
    'deep lists': nested('[', ']', MAX_BODY_BYTES / 2),
    'lists that do not end': nested('[', '', MAX_BODY_BYTES),
    'deep objects': nested('{"a":', '', 200_000),
    'quotation marks': '"'.repeat(MAX_BODY_BYTES),
    blanks: ' '.repeat(MAX_BODY_BYTES),
  });
  expect(slow).toStrictEqual([]);
  const { 'a text of escapes': escapes, ...others } = statuses;
  expect([escapes, new Set(Object.values(others))]).toStrictEqual([403, new Set([400])]);
});
