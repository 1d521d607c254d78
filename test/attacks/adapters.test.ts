import { expect, it } from 'vitest';
import { medianTurnMs } from '../support/longest-turn.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { createTestApp } from '../support/test-app.ts';

const RAILS = '/v1/adapters/activestorage/direct_uploads';
const VAPOR = '/v1/adapters/vapor/signed-storage-url';

/** How long one request may keep the event loop from all others, in CPU time: the README promises it. */
const MAX_TURN_MS = 50;
/** A body of 64 KiB has room for this and the other fields. */
const MAX_FILL_BYTES = 64_000;

const FILE = { filename: 'photo.png', content_type: 'image/png' };
const BLOB = { ...FILE, byte_size: 14, checksum: 'XrY7u+Ae7tCTyyK7j1rNww==' };
const VAPOR_BODY = { ...FILE, size: 14, bucket: '', expires: '', visibility: '' };

/** The requests of both clients with one more field at the end, which overrides an earlier one of its name. */
function bodiesWith(field: string, value: unknown): readonly (readonly [string, string])[] {
  const changed = (fields: object) => `${JSON.stringify(fields).slice(0, -1)},${member(field, value)}}`;
  return [
    [RAILS, `{"blob":${changed(BLOB)}}`],
    [VAPOR, changed(VAPOR_BODY)],
  ];
}

const member = (field: string, value: unknown) => `${JSON.stringify(field)}:${JSON.stringify(value)}`;

async function createAdaptersApp() {
  const app = await createTestApp({
    policyYaml: policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 100_000 } })] }),
    adapters: ['activestorage', 'vapor'],
  });
  const token = await app.issuer.sign();
  const post = (path: string, body: string) =>
    app.http
      .post(path)
      .set({ authorization: `Bearer ${token}`, 'content-type': 'application/json' })
      .send(body);
  return { ...app, post };
}

const FIELDS = [...Object.keys(BLOB), ...Object.keys(VAPOR_BODY), 'metadata', 'key', 'cache_control'];

it('each field at its longest, of units that patterns are slow with', async () => {
  const { post } = await createAdaptersApp();
  const units = ['A', '=', '/', ' ', '0', '語', '\u0000', ';a=b', '="'];
  const slow: string[] = [];
  const statuses = new Set<number>();
  for (const field of new Set(FIELDS))
    for (const unit of units) {
      const bytes = Buffer.byteLength(JSON.stringify(unit)) - 2;
      for (const [path, body] of bodiesWith(field, unit.repeat(Math.floor(MAX_FILL_BYTES / bytes)))) {
        const turnMs = await medianTurnMs(MAX_TURN_MS, async () => {
          statuses.add((await post(path, body)).status);
        });
        if (turnMs >= MAX_TURN_MS) slow.push(`${path} ${field} of ${JSON.stringify(unit)}: ${turnMs} ms`);
      }
    }
  expect(slow).toStrictEqual([]);
  // 201 where the client may send a field that is ignored.
  expect([...statuses].sort()).toStrictEqual([201, 400]);
});

it.each([
  ['nested lists', `${'['.repeat(30_000)}${']'.repeat(30_000)}`],
  ['nested objects', `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`],
  ['many members', JSON.stringify(Object.fromEntries(Array.from({ length: 5_000 }, (_, n) => [`m${n}`, n])))],
])('ignores metadata of %s', async (_what, metadata) => {
  const { post } = await createAdaptersApp();
  for (const [path, body] of bodiesWith('metadata', 'X').map(([path, body]) => [
    path,
    body.replace('"X"', () => metadata),
  ])) {
    const statuses: number[] = [];
    const turnMs = await medianTurnMs(MAX_TURN_MS, async () => {
      statuses.push((await post(path ?? '', body ?? '')).status);
    });
    expect(turnMs).toBeLessThan(MAX_TURN_MS);
    for (const status of statuses) expect([201, 400]).toContain(status);
  }
});

it.each([
  ['filename', '../../users/bob/photo.png', 201, 201],
  ['filename', '/etc/passwd.png', 201, 201],
  ['filename', 'users\\bob\\photo.png', 201, 201],
  ['filename', '{sub}.png', 201, 201],
  ['filename', '..', 201, 201],
  ['key', 'users/bob/photo.png', 201, 400],
  ['prefix', 'users/bob/', 201, 201],
  ['path', 'users/bob/', 201, 201],
  ['directory', 'users/bob/', 201, 201],
  ['sub', 'bob', 201, 201],
  ['signed_id', 'users/bob/photo.png', 201, 201],
  ['service_name', 'other', 201, 201],
  ['bucket', 'acme-media', 201, 403],
  ['bucket', '../acme-media', 201, 403],
  ['headers', { 'x-oss-object-acl': 'public-read' }, 201, 201],
  ['visibility', 'public-read', 201, 400],
  ['visibility', 'public', 201, 400],
  ['acl', 'public-read', 201, 201],
  ['overwrite', true, 201, 201],
  ['transfer', 'form', 201, 201],
  ['expiresIn', 600_000, 201, 201],
  ['expires', '+10 years', 201, 400],
  ['metadata', JSON.parse('{"__proto__":{"album":"y"}}'), 400, 400],
  ['__proto__', { key: 'users/bob/photo.png', overwrite: true }, 400, 400],
  ['constructor', { prototype: { overwrite: true } }, 400, 400],
])('grants nothing else to a client that sends %s = %j', async (field, value, rails, vapor) => {
  const { post, log } = await createAdaptersApp();
  for (const [path, body] of bodiesWith(field, value)) {
    const response = await post(path, body);
    expect(response.status, path).toBe(path === RAILS ? rails : vapor);
    if (response.status !== 201) continue;
    const { url, headers } = response.body.direct_upload ?? response.body;
    expect(response.body.key).toMatch(/^users\/alice\/[0-9a-f-]{36}(\.png)?$/);
    expect(decodeURIComponent(new URL(url).pathname)).toBe(`/${response.body.key}`);
    expect(new URL(url).searchParams.get('x-oss-expires')).toBe('600');
    expect(headers).toMatchObject({ 'x-oss-forbid-overwrite': 'true' });
    expect(Object.keys(headers).filter((name) => /acl|meta|^host$/i.test(name))).toStrictEqual([]);
    const id = response.body.signed_id ?? response.body.id;
    for (const secret of [id, new URL(url).searchParams.get('x-oss-signature') ?? ''])
      expect(log.join('\n')).not.toContain(secret);
  }
  expect(({} as { overwrite?: unknown }).overwrite).toBeUndefined();
});
