import { describe, expect, it } from 'vitest';
import type { FormGrant } from '../../src/grants/upload/response.ts';
import { now } from '../support/fixed-clock.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator, TEMPORARY } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';

// A granted form in the hands of a client: what was granted works, and the bucket rejects every change of a bound field.

const OTHER_BUCKET = 'acme-other';

async function setUp(
  fields: Readonly<Record<string, unknown>> = {},
  credentials: typeof LONG_LIVED & { readonly securityToken?: string } = LONG_LIVED,
) {
  const clock = { now };
  const emulator = await startTestEmulator({
    clock: () => clock.now,
    buckets: { [BUCKET]: { region: REGION }, [OTHER_BUCKET]: { region: REGION } },
  });
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: [
        ownFilesRule({
          transfers: ['form'],
          overwrite: true,
          clientHeaders: ['cacheControl', 'contentEncoding'],
          ...fields,
        }),
      ],
    }),
    env: {
      OSS_ACCESS_KEY_ID: credentials.accessKeyId,
      OSS_ACCESS_KEY_SECRET: credentials.accessKeySecret,
      ...(credentials.securityToken && { OSS_SESSION_TOKEN: credentials.securityToken }),
    },
  });
  return {
    clock,
    emulator,
    async grant(change: Record<string, unknown> = {}): Promise<FormGrant> {
      const response = await fetch(`${service.url}/v1/uploads`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await service.issuer.sign()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({
          transfer: 'form',
          key: 'users/alice/note.txt',
          contentType: 'text/plain',
          contentLength: 5,
          metadata: { album: '42' },
          cacheControl: 'no-cache',
          ...change,
        }),
      });
      expect(response.status, await response.clone().text()).toBe(201);
      return response.json() as Promise<FormGrant>;
    },
    /** The attributes of an object in the bucket; undefined if there is none. */
    async head(key: string): Promise<Readonly<Record<string, string>> | undefined> {
      const response = await fetch(emulator.presign({ method: 'HEAD', key }), { method: 'HEAD' });
      return response.status === 404 ? undefined : Object.fromEntries(response.headers);
    },
  };
}

/** The parts of a form, in the order in which they are sent. The file is a `File`. */
type Parts = readonly (readonly [string, string | File])[];

const HELLO = new File(['hello'], 'C:\\fakepath\\note.html', { type: 'text/html' });

const partsOf = ({ fields, fileField }: FormGrant, file = HELLO): Parts => [
  ...Object.entries(fields),
  [fileField, file],
];

async function send(url: string, parts: Parts) {
  const form = new FormData();
  for (const [name, value] of parts) form.append(name, value);
  const response = await fetch(url, { method: 'POST', body: form, redirect: 'manual' });
  return { status: response.status, code: /<Code>(.*?)</.exec(await response.text())?.[1] };
}

const STORED = { status: 200, code: undefined };
const CONDITION_FAILED = { status: 403, code: 'AccessDenied' };

it('the bucket accepts exactly what was granted, and stores the granted type', async () => {
  const { grant, head } = await setUp({
    headers: {
      'Content-Disposition': 'inline; filename="n.txt"',
      Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
      'x-oss-storage-class': 'IA',
      'x-oss-server-side-encryption': 'AES256',
      'x-oss-meta-team': 'web',
    },
  });
  const granted = await grant({ contentType: 'Text/Plain; charset="utf-8"', contentEncoding: 'identity' });
  expect(await send(granted.url, partsOf(granted))).toStrictEqual(STORED);
  expect(await head(granted.key)).toMatchObject({
    'content-length': '5',
    'content-type': 'Text/Plain; charset="utf-8"',
    'cache-control': 'no-cache',
    'content-disposition': 'inline; filename="n.txt"',
    'content-encoding': 'identity',
    expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
    'x-oss-storage-class': 'IA',
    'x-oss-server-side-encryption': 'AES256',
    'x-oss-meta-album': '42',
    'x-oss-meta-team': 'web',
  });
});

it('the fields may be in any order before the file', async () => {
  const { grant } = await setUp();
  for (const order of ['sorted', 'reversed'] as const) {
    const granted = await grant({ key: `users/alice/${order}` });
    const fields = Object.entries(granted.fields).sort();
    const parts = order === 'sorted' ? fields : fields.reverse();
    expect(await send(granted.url, [...parts, ['file', HELLO]])).toStrictEqual(STORED);
  }
});

it('a form uploads to keys of every kind', async () => {
  const { grant, head } = await setUp();
  const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => 32 + index));
  const names = [
    ascii.replaceAll(/[\\/]/g, ''),
    '$a $$ a$',
    `"it's" ["eq","$key","x"]`,
    '%22 &quot; %41 +',
    '报告 最终版.txt',
    '👩‍👩‍👧😀.txt',
    '图'.repeat(337),
  ];
  for (const name of names) {
    const key = `users/alice/${name}`;
    const granted = await grant({ key });
    expect(await send(granted.url, partsOf(granted)), name).toStrictEqual(STORED);
    expect(await head(key), name).toMatchObject({ 'content-length': '5' });
  }
});

it('a form binds metadata with characters that have a meaning in the policy', async () => {
  const { grant, head } = await setUp();
  for (const [index, album] of ['$a $$', '"a\\b"', '{"a":["eq","$b",1]}', '\\$', '\\\\$'].entries()) {
    const granted = await grant({ key: `users/alice/${index}`, metadata: { album } });
    expect(await send(granted.url, partsOf(granted)), album).toStrictEqual(STORED);
    expect(await head(granted.key)).toMatchObject({ 'x-oss-meta-album': album });
  }
});

describe('rejects, and stores nothing', () => {
  /** Sends a form for each field with the parts that `change` makes, and returns what the bucket responded. */
  async function sendForEachField(change: (parts: Parts, name: string, value: string) => Parts) {
    const { grant, emulator } = await setUp(
      {
        headers: {
          'Content-Disposition': 'attachment',
          Expires: 'Thu, 26 Nov 2026 10:00:00 GMT',
          'x-oss-server-side-encryption': 'AES256',
          'x-oss-meta-team': 'web',
        },
      },
      TEMPORARY,
    );
    const granted = await grant({ contentEncoding: 'identity' });
    const names = Object.keys(granted.fields);
    expect(names).toHaveLength(20);
    const results = await Promise.all(
      Object.entries(granted.fields).map(async ([name, value]) => {
        const { status } = await send(granted.url, change(partsOf(granted), name, value));
        return [name, status] as const;
      }),
    );
    expect(emulator.files()).toStrictEqual([]);
    // The same form, unchanged.
    expect(await send(granted.url, partsOf(granted))).toStrictEqual(STORED);
    return results.filter(([, status]) => ![400, 403].includes(status));
  }

  it('each field with another value', async () => {
    const other = (name: string, value: string) =>
      ({
        'x-oss-object-acl': 'public-read-write',
        'x-oss-storage-class': 'Archive',
        'x-oss-server-side-encryption': 'SM4',
        'x-oss-forbid-overwrite': 'false',
        'x-oss-content-type': 'text/html',
        'Content-Disposition': 'inline',
        key: 'users/bob/note.txt',
        success_action_status: '204',
        'x-oss-date': '20261123T100001Z',
      })[name] ?? `${value}x`;
    const failed = await sendForEachField((parts, name) =>
      parts.map(([one, value]) => [one, one === name ? other(name, String(value)) : value]),
    );
    expect(failed).toStrictEqual([]);
  });

  it('each field left out', async () => {
    const failed = await sendForEachField((parts, name) => parts.filter(([one]) => one !== name));
    expect(failed).toStrictEqual([]);
  });

  it('each field without a value', async () => {
    const failed = await sendForEachField((parts, name) =>
      parts.map(([one, value]) => [one, one === name ? '' : value]),
    );
    expect(failed).toStrictEqual([]);
  });

  it('each field twice', async () => {
    const failed = await sendForEachField((parts, name, value) => [[name, value], ...parts]);
    expect(failed).toStrictEqual([]);
  });

  it('each field after the file', async () => {
    const failed = await sendForEachField((parts, name, value) => [
      ...parts.filter(([one]) => one !== name),
      [name, value],
    ]);
    expect(failed).toStrictEqual([]);
  });

  it('a file of another length', async () => {
    const { grant, emulator } = await setUp();
    const atMost3 = { contentLength: undefined, maxContentLength: 3 };
    for (const [length, bytes, code] of [
      [{ contentLength: 5 }, 6, 'EntityTooLarge'],
      [{ contentLength: 5 }, 4, 'EntityTooSmall'],
      [{ contentLength: 5 }, 0, 'EntityTooSmall'],
      [{ contentLength: 0 }, 1, 'EntityTooLarge'],
      [atMost3, 4, 'EntityTooLarge'],
    ] as const) {
      const granted = await grant(length);
      const file = new File([new Uint8Array(bytes)], 'a');
      expect(await send(granted.url, partsOf(granted, file))).toStrictEqual({ status: 400, code });
    }
    expect(emulator.files()).toStrictEqual([]);
  });

  it('two files, and no file', async () => {
    const { grant, emulator } = await setUp();
    const granted = await grant();
    const parts = partsOf(granted);
    expect((await send(granted.url, [...parts, ['file', HELLO]])).status).toBe(400);
    expect((await send(granted.url, parts.slice(0, -1))).status).toBe(400);
    expect(emulator.files()).toStrictEqual([]);
  });

  it('the form in another bucket', async () => {
    const { grant, emulator } = await setUp();
    const granted = await grant();
    const url = granted.url.replace(BUCKET, OTHER_BUCKET);
    expect(url).not.toBe(granted.url);
    expect(await send(url, partsOf(granted))).toStrictEqual(CONDITION_FAILED);
    expect(emulator.files()).toStrictEqual([]);
  });

  it('a policy that the client wrote, and one with a condition left out', async () => {
    const { grant, emulator } = await setUp();
    const granted = await grant();
    const text = Buffer.from(granted.fields.policy ?? '', 'base64').toString();
    const changes = [
      text.replace('users/alice/note.txt', 'users/bob/note.txt'),
      text.replace(/,\["content-length-range",5,5\]/, ''),
      text.replace('2026-11-23T10:10', '2026-11-23T11:10'),
    ];
    for (const changed of changes) {
      expect(changed).not.toBe(text);
      const fields = { ...granted.fields, policy: Buffer.from(changed).toString('base64') };
      expect(await send(granted.url, partsOf({ ...granted, fields }))).toMatchObject({ status: 403 });
    }
    expect(emulator.files()).toStrictEqual([]);
  });
});

it('accepts any length up to the maximum', async () => {
  const { grant, head } = await setUp();
  for (const bytes of [0, 1, 3]) {
    const key = `users/alice/${bytes}`;
    const granted = await grant({ key, contentLength: undefined, maxContentLength: 3 });
    const file = new File([new Uint8Array(bytes)], 'a');
    expect(await send(granted.url, partsOf(granted, file))).toStrictEqual(STORED);
    expect(await head(key)).toMatchObject({ 'content-length': String(bytes) });
  }
});

it('accepts an empty file of the exact length 0', async () => {
  const { grant } = await setUp();
  const granted = await grant({ contentLength: 0 });
  expect(await send(granted.url, partsOf(granted, new File([], 'a')))).toStrictEqual(STORED);
});

it('rejects a form at its stated expiry, but not just before', async () => {
  const { grant, clock } = await setUp();
  const [early, late] = [await grant({ key: 'users/alice/early' }), await grant({ key: 'users/alice/late' })];
  clock.now = new Date(new Date(early.expiresAt).getTime() - 1);
  expect(await send(early.url, partsOf(early))).toStrictEqual(STORED);
  clock.now = new Date(late.expiresAt);
  expect(await send(late.url, partsOf(late))).toStrictEqual({ status: 403, code: 'AccessDenied' });
});

it('replaces nothing, unless it was granted', async () => {
  const { grant } = await setUp();
  const first = await grant();
  expect(await send(first.url, partsOf(first))).toStrictEqual(STORED);
  const exists = { status: 409, code: 'FileAlreadyExists' };
  expect(await send(first.url, partsOf(first))).toStrictEqual(exists);
  const second = await grant();
  expect(await send(second.url, partsOf(second))).toStrictEqual(exists);
  const replacing = await grant({ overwrite: true });
  expect(await send(replacing.url, partsOf(replacing))).toStrictEqual(STORED);
  expect(await send(replacing.url, partsOf(replacing))).toStrictEqual(STORED);
});

describe('a field that no condition names is free, as docs/forms.md states', () => {
  it('more metadata, headers that were not granted, and encryption', async () => {
    const { grant, head } = await setUp();
    const free = {
      'x-oss-meta-more': 'x',
      'Content-Encoding': 'gzip',
      Expires: 'Wed, 01 Jan 2031 00:00:00 GMT',
      'x-oss-server-side-encryption': 'AES256',
    };
    const granted = await grant();
    const parts = [...Object.entries(free), ...partsOf(granted)];
    expect(await send(granted.url, parts)).toStrictEqual(STORED);
    const stored = await head(granted.key);
    for (const [name, value] of Object.entries(free)) expect(stored?.[name.toLowerCase()]).toBe(value);
  });

  it('a field that means nothing, and the type of the file, which the bucket does not store', async () => {
    const { grant, head } = await setUp();
    const granted = await grant();
    const parts: Parts = [['submit', 'Send'], ['Content-Type', 'text/html'], ...partsOf(granted)];
    expect(await send(granted.url, parts)).toStrictEqual(STORED);
    expect(await head(granted.key)).toMatchObject({ 'content-type': 'text/plain' });
  });
});
