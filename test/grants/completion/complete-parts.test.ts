import { expect, it } from 'vitest';
import { completeParts } from '../../../src/grants/completion/complete-parts.ts';
import type { GrantedMultipart, GrantedUpload } from '../../../src/grants/upload-id.ts';
import type { BucketClient, StoredObject, StoredPart } from '../../../src/storage/object-storage.ts';
import { StorageError } from '../../../src/storage/storage-error.ts';
import { now } from '../../support/fixed-clock.ts';
import { assembledObject, grantedMultipart, STORED_PARTS } from '../../support/granted-upload.ts';
import { createManualClock } from '../../support/manual-clock.ts';

type Listed = readonly StoredPart[] | undefined;
type Completed = Awaited<ReturnType<BucketClient['completeMultipartUpload']>>;

const UPLOAD = { key: 'users/alice/photo.png', uploadId: '0004B9894A22E5B1888A1E29F8236E2D' };
const HEADERS = { 'x-oss-forbid-overwrite': 'true' };
const DENIED = new StorageError('denied', 'OSS responded with 403', { status: 403 });
const LOST = new StorageError('unreachable', 'the response was lost');
const FOREIGN = assembledObject({ metadata: { 'upload-id': '019ab000-0000-7000-8000-00000000000b' } });

/** The results of the calls to the storage, in their order; an error is thrown. */
type Script = {
  readonly lists?: readonly (Listed | StorageError)[];
  readonly completes?: readonly (Completed | Error)[];
  readonly heads?: readonly (StoredObject | undefined | Error)[];
  readonly crc64?: string;
  readonly granted?: Partial<GrantedUpload>;
  /** Of the caller. */
  readonly deadline?: Date;
  readonly reservedMs?: number;
};

/** Completes the upload, and returns the outcome with the calls that it needed. */
async function run({ lists = [STORED_PARTS], completes = [], heads = [], ...input }: Script) {
  const { crc64, granted, deadline, reservedMs = 0 } = input;
  const calls: unknown[][] = [];
  const { clock, advance } = createManualClock();
  const rest = { lists: [...lists], completes: [...completes], heads: [...heads] };
  const next = <Result>(name: keyof typeof rest, results: (Result | Error)[], ...call: unknown[]) => {
    calls.push([name, ...call]);
    advance(1000);
    if (results.length === 0) throw new Error(`the test expects no more ${name}`);
    const result = results.shift() as Result | Error;
    if (result instanceof Error) throw result;
    return result;
  };
  const upload = grantedMultipart(granted) as GrantedUpload & { readonly multipart: GrantedMultipart };
  const outcome = await completeParts({
    client: {
      listParts: async (...call) => next<Listed>('lists', rest.lists, ...call),
      completeMultipartUpload: async (...call) => next<Completed>('completes', rest.completes, ...call),
      headObject: async (key, until) =>
        next<StoredObject | undefined>('heads', rest.heads, key, ...(until ? [until] : [])),
    },
    granted: upload,
    headers: HEADERS,
    crc64,
    clock,
    deadline,
    reservedMs,
  }).catch((error: unknown) => error);
  expect(rest).toStrictEqual({ lists: [], completes: [], heads: [] });
  return { outcome, calls };
}

const DEADLINE = new Date(now.getTime() + 61_000);

it('makes each call before the deadline of its caller, also the check of the object', async () => {
  const deadline = new Date(now.getTime() + 4_000);
  const { calls } = await run({
    lists: [STORED_PARTS],
    completes: ['completed'],
    heads: [assembledObject()],
    deadline,
  });
  expect(calls).toStrictEqual([
    ['lists', UPLOAD, deadline],
    ['completes', UPLOAD, STORED_PARTS, HEADERS, deadline],
    ['heads', 'users/alice/photo.png', deadline],
  ]);
});

it('completes with exactly the listed parts of the grant, and the headers, before a deadline', async () => {
  const listed = [...STORED_PARTS, { partNumber: 4, contentLength: 100, etag: 'E4' }];
  const { outcome, calls } = await run({
    lists: [listed],
    completes: ['completed'],
    heads: [assembledObject()],
  });
  expect(outcome).toStrictEqual({ outcome: 'stored', stored: assembledObject() });
  expect(calls).toStrictEqual([
    ['lists', UPLOAD, DEADLINE],
    ['completes', UPLOAD, STORED_PARTS, HEADERS, DEADLINE],
    ['heads', 'users/alice/photo.png'],
  ]);
});

it('ends the calls earlier by the time that its caller needs after them', async () => {
  const { calls } = await run({ lists: [[]], reservedMs: 3_000 });
  expect(calls).toStrictEqual([['lists', UPLOAD, new Date(DEADLINE.getTime() - 3_000)]]);
});

it('lists again with the first deadline if a part was replaced after it was listed', async () => {
  const replaced = STORED_PARTS.map((part) => ({ ...part, etag: `${part.etag}b` }));
  const { outcome, calls } = await run({
    lists: [STORED_PARTS, replaced],
    completes: ['parts_changed', 'completed'],
    heads: [assembledObject()],
  });
  expect(outcome).toMatchObject({ outcome: 'stored' });
  expect(calls.slice(2, 4)).toStrictEqual([
    ['lists', UPLOAD, DEADLINE],
    ['completes', UPLOAD, replaced, HEADERS, DEADLINE],
  ]);
});

const MISSING = { outcome: 'incomplete', missing: [{ from: 2, to: 2 }], partCount: 3 };
const WITHOUT_PART_2 = STORED_PARTS.filter(({ partNumber }) => partNumber !== 2);

it.each<[string, Script, unknown]>([
  ['a part is missing', { lists: [WITHOUT_PART_2] }, MISSING],
  [
    'a part has another length',
    { lists: [STORED_PARTS.map((part) => (part.partNumber === 2 ? { ...part, contentLength: 99 } : part))] },
    MISSING,
  ],
  ['there is no part', { lists: [[]] }, { ...MISSING, missing: [{ from: 1, to: 3 }] }],
  [
    'a part was replaced by a shorter one after it was listed',
    { lists: [STORED_PARTS, WITHOUT_PART_2], completes: ['parts_changed'] },
    MISSING,
  ],
])('completes nothing if %s', async (_title, script, expected) => {
  expect((await run(script)).outcome).toStrictEqual(expected);
});

const stored = { outcome: 'stored', stored: assembledObject() };

it.each<[string, Script, unknown]>([
  ['the upload is over before the list', { lists: [undefined], heads: [assembledObject()] }, stored],
  ['the upload was aborted', { lists: [undefined], heads: [undefined] }, { outcome: 'absent' }],
  [
    'another call completed it after the list',
    { completes: ['no_such_upload'], heads: [assembledObject()] },
    stored,
  ],
  [
    'another call aborted it after the list',
    { completes: ['no_such_upload'], heads: [undefined] },
    { outcome: 'absent' },
  ],
  [
    'another call completed it, and the storage then finds the object itself',
    { completes: ['object_exists'], heads: [assembledObject()] },
    stored,
  ],
  [
    'the key has the object of another grant',
    { completes: ['object_exists'], heads: [FOREIGN] },
    { outcome: 'exists' },
  ],
  [
    'the key has an object that was not sent in parts',
    {
      granted: { isMarked: false },
      completes: ['object_exists'],
      heads: [assembledObject({ objectType: 'normal', metadata: { 'upload-id': undefined as never } })],
    },
    { outcome: 'exists' },
  ],
  [
    'the other object is deleted in the meantime',
    {
      lists: [STORED_PARTS, STORED_PARTS],
      completes: ['object_exists', 'completed'],
      heads: [undefined, assembledObject()],
    },
    stored,
  ],
  [
    'the object was replaced after it was completed',
    { completes: ['completed'], heads: [FOREIGN] },
    { outcome: 'mismatch', differences: [expect.objectContaining({ code: 'other_upload' })] },
  ],
  [
    'the object was deleted after it was completed',
    { completes: ['completed'], heads: [undefined] },
    { outcome: 'absent' },
  ],
  [
    'the client sent other bytes than are stored',
    { completes: ['completed'], heads: [assembledObject()], crc64: '1' },
    { outcome: 'mismatch', differences: [expect.objectContaining({ pointer: '/crc64' })] },
  ],
  ['only the response was lost', { completes: [LOST], heads: [assembledObject()] }, stored],
  [
    'only the response was lost, and the client sent other bytes',
    { completes: [LOST], heads: [assembledObject()], crc64: '1' },
    { outcome: 'mismatch', differences: [expect.objectContaining({ pointer: '/crc64' })] },
  ],
  ['the storage failed, and has no object', { completes: [LOST], heads: [undefined] }, LOST],
  ['the storage failed, and has another object', { completes: [LOST], heads: [FOREIGN] }, LOST],
  ['the storage failed twice', { completes: [LOST], heads: [DENIED] }, LOST],
  ['the storage denied it', { completes: [DENIED], heads: [undefined] }, DENIED],
  ['the storage did not list the parts', { lists: [LOST] }, LOST],
  ['the object could not be checked', { completes: ['completed'], heads: [LOST] }, LOST],
])('settles the upload if %s', async (_title, script, expected) => {
  expect((await run(script)).outcome).toStrictEqual(expected);
});

it('gives up when parts are replaced all the time, and has the client come back', async () => {
  const { outcome } = await run({
    lists: Array(3).fill(STORED_PARTS),
    completes: Array(3).fill('parts_changed'),
  });
  expect(outcome).toMatchObject({ code: 'unavailable', headers: { 'Retry-After': '1' } });
});

it('settles nothing if it is a bug that makes a call fail', async () => {
  const bug = new TypeError('a bug');
  expect((await run({ completes: [bug] })).outcome).toBe(bug);
  expect((await run({ completes: [LOST], heads: [bug] })).outcome).toBe(bug);
});
