import { expect, it } from 'vitest';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { forgeToken, hmacSigner } from '../support/forge-token.ts';
import { defaultClaims } from '../support/tokens.ts';
import { noFetch, sharedSecret } from './offline-verifier.ts';

const MAX_TOKEN_BYTES = 16_384;
/** No request may occupy the event loop for longer. */
const MAX_CPU_MS = 50;
/** The size of a claim that fits into a token of 16 KiB next to the other claims. */
const CLAIM_BYTES = 11_800;

const secret = Buffer.from('a secret for large tokens: 0123456789');
const list = (entry: (index: number) => string) => {
  let json = '';
  for (let index = 0; json.length + entry(index).length < CLAIM_BYTES; index++)
    json += `${index > 0 ? ',' : ''}${entry(index)}`;
  return `[${json}]`;
};
const short = (index: number) => index.toString(36);

/** One additional claim, as JSON. */
const SHAPES: readonly (readonly [string, string])[] = [
  ['a string of scopes', `"scope":"${'a '.repeat(CLAIM_BYTES / 2)}"`],
  [
    'a string of different scopes',
    `"scope":"${Array.from({ length: 5_000 }, (_, index) => short(index))
      .join(' ')
      .slice(0, CLAIM_BYTES)}"`,
  ],
  ['a string of spaces', `"scope":"${' '.repeat(CLAIM_BYTES)}"`],
  ['a list of scopes', `"scope":${list((index) => `"${short(index)}"`)}`],
  ['a list of scp', `"scp":${list((index) => `"${short(index)}"`)}`],
  ['a list of groups', `"groups":${list((index) => `"${short(index)}"`)}`],
  ['a list of audiences', `"aud":${list((index) => `"${short(index)}"`).replace(/\]$/, ',"uploads"]')}`],
  ['numbers', `"groups":${list(() => '1')}`],
  ['nested lists', `"groups":${'['.repeat(CLAIM_BYTES / 2)}${']'.repeat(CLAIM_BYTES / 2)}`],
  ['nested objects', `"groups":${'{"a":'.repeat(CLAIM_BYTES / 6)}1${'}'.repeat(CLAIM_BYTES / 6)}`],
  ['members', `${list((index) => `"m${short(index)}":1`).slice(1, -1)}`],
  ['the same member many times', `${list(() => '"m":1').slice(1, -1)}`],
  ['Chinese text', `"groups":"${'统'.repeat(CLAIM_BYTES / 3)}"`],
  ['replacement characters', `"groups":"${'\ufffd'.repeat(CLAIM_BYTES / 3)}"`],
  ['a long number', `"groups":1${'0'.repeat(CLAIM_BYTES - 20)}`],
  ['escapes', `"groups":"${'\\u0041'.repeat(CLAIM_BYTES / 6)}"`],
];

it.each(SHAPES)('a token of 16 KiB with %s is verified in less than 50 ms of CPU time', async (_, member) => {
  const json = `${JSON.stringify({ ...defaultClaims('internal'), scope: undefined }).slice(0, -1)},${member}}`;
  const tokens = [1, 2, 3].map((number) =>
    forgeToken({ alg: 'HS256', kid: `k${number}` }, json, hmacSigner(secret)),
  );
  expect(tokens[0]?.length).toBeLessThanOrEqual(MAX_TOKEN_BYTES);
  expect(tokens[0]?.length).toBeGreaterThan(MAX_TOKEN_BYTES * 0.9);
  const verifier = createTokenVerifier({
    issuers: [sharedSecret(secret)],
    namedByPolicy: { claims: new Set(['groups']), scopes: new Set(['uploads:write', 'a']) },
    clock: fixedClock,
    keySources: createKeySources({ clock: fixedClock, fetch: noFetch }),
  });
  const cpuMs: number[] = [];
  for (const token of tokens) {
    const before = process.threadCpuUsage();
    const { subject } = await verifier.verify(token);
    const { user, system } = process.threadCpuUsage(before);
    expect(subject).toBe('alice');
    cpuMs.push((user + system) / 1000);
  }
  expect(cpuMs.sort((a, b) => a - b)[1]).toBeLessThan(MAX_CPU_MS);
});
