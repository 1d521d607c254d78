import { expect, it } from 'vitest';
import { faultOf, multipartCalls } from '../support/multipart-upload.ts';
import { BUCKET, readXml, startTestEmulator, type TestEmulator } from '../support/test-emulator.ts';

/** Initiates an upload for each key. Returns their ids in the same order. */
async function startWith(keys: readonly string[]): Promise<[TestEmulator, readonly string[]]> {
  const emulator = await startTestEmulator();
  return [emulator, await Promise.all(keys.map((key) => multipartCalls(emulator, key).initiate()))];
}

async function list(emulator: TestEmulator, query: Readonly<Record<string, string>>) {
  const response = await multipartCalls(emulator, '').call('GET', { uploads: '', ...query });
  const text = await response.text();
  expect(response.status, text).toBe(200);
  const inside = (element: string, name: string) =>
    [...text.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
      ([, xml = '']) => readXml(xml)[name] ?? '',
    );
  const outside = text.replaceAll(/<(Upload|CommonPrefixes)>.*?<\/\1>/gs, '');
  return {
    text,
    elements: readXml(outside),
    keys: inside('Upload', 'Key'),
    ids: inside('Upload', 'UploadId'),
    prefixes: inside('CommonPrefixes', 'Prefix'),
  };
}

it('describes each upload', async () => {
  const emulator = await startTestEmulator();
  const uploadId = await multipartCalls(emulator, 'dir/a').initiate({
    headers: { 'x-oss-storage-class': 'IA' },
  });
  expect((await list(emulator, {})).text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<ListMultipartUploadsResult>
  <Bucket>${BUCKET}</Bucket>
  <KeyMarker></KeyMarker>
  <UploadIdMarker></UploadIdMarker>
  <NextKeyMarker></NextKeyMarker>
  <NextUploadIdMarker></NextUploadIdMarker>
  <Delimiter></Delimiter>
  <Prefix></Prefix>
  <MaxUploads>1000</MaxUploads>
  <IsTruncated>false</IsTruncated>
  <Upload>
    <Key>dir/a</Key>
    <UploadId>${uploadId}</UploadId>
    <StorageClass>IA</StorageClass>
    <Initiated>2026-11-23T10:00:00.000Z</Initiated>
  </Upload>
</ListMultipartUploadsResult>
`);
});

// In UTF-16, the emoji comes before the full-width letter.
const KEYS = ['B', 'a', 'a', 'a/', 'a/1', 'a/b/1', 'a/b/1', 'a/b/2', 'a/c', 'b/1', 'ｚ', '😀'];

it('lists by the UTF-8 bytes of the keys, then by id', async () => {
  const [emulator, ids] = await startWith(KEYS);
  const page = await list(emulator, {});
  expect(page.keys).toStrictEqual(KEYS);
  expect(page.ids.toSorted()).toStrictEqual(ids.toSorted());
  for (const start of [1, 5]) {
    expect(page.ids.slice(start, start + 2)).toStrictEqual(page.ids.slice(start, start + 2).toSorted());
  }
});

it.each<[Record<string, string>, readonly string[], readonly string[]]>([
  [{ prefix: 'a/b' }, ['a/b/1', 'a/b/1', 'a/b/2'], []],
  [{ delimiter: '/' }, ['B', 'a', 'a', 'ｚ', '😀'], ['a/', 'b/']],
  [{ prefix: 'a/', delimiter: '/' }, ['a/', 'a/1', 'a/c'], ['a/b/']],
  [{ 'key-marker': 'a/b/1' }, ['a/b/2', 'a/c', 'b/1', 'ｚ', '😀'], []],
  [{ 'key-marker': 'a/b/1', delimiter: '/' }, ['ｚ', '😀'], ['a/', 'b/']],
  [{ 'key-marker': 'a/', delimiter: '/' }, ['ｚ', '😀'], ['b/']],
  [
    { 'key-marker': 'a/b/1', 'upload-id-marker': '0' },
    ['a/b/1', 'a/b/1', 'a/b/2', 'a/c', 'b/1', 'ｚ', '😀'],
    [],
  ],
  [{ 'upload-id-marker': 'F' }, KEYS, []],
  [{ prefix: 'nothing' }, [], []],
])('with %j, lists %j and the common prefixes %j', async (query, keys, prefixes) => {
  const [emulator] = await startWith(KEYS);
  const page = await list(emulator, query);
  expect([page.keys, page.prefixes]).toStrictEqual([keys, prefixes]);
});

it.each([
  [{}, 1],
  [{}, 5],
  [{}, 12],
  [{ delimiter: '/' }, 1],
  [{ delimiter: '/' }, 3],
  [{ prefix: 'a/', delimiter: '/' }, 2],
])('lists everything once in pages, with %j and max-uploads %i', async (filter, maxUploads) => {
  const [emulator] = await startWith(KEYS);
  const whole = await list(emulator, filter);
  const pages: Awaited<ReturnType<typeof list>>[] = [];
  let markers: Record<string, string> = {};
  do {
    const page = await list(emulator, { ...filter, 'max-uploads': String(maxUploads), ...markers });
    pages.push(page);
    const { NextKeyMarker = '', NextUploadIdMarker = '' } = page.elements;
    markers = {
      'key-marker': NextKeyMarker,
      ...(NextUploadIdMarker && { 'upload-id-marker': NextUploadIdMarker }),
    };
  } while (pages.at(-1)?.elements.IsTruncated === 'true');
  expect(pages.flatMap(({ ids }) => ids)).toStrictEqual(whole.ids);
  expect(pages.flatMap(({ prefixes }) => prefixes)).toStrictEqual(whole.prefixes);
  expect(pages).toHaveLength(Math.ceil((whole.ids.length + whole.prefixes.length) / maxUploads));
});

it('encodes names with encoding-type=url', async () => {
  const [emulator] = await startWith(['a b/+&<图>', 'a b/\u0001/x']);
  const query = { 'encoding-type': 'url', prefix: 'a b/', delimiter: '/', 'key-marker': 'a b/' };
  expect(await list(emulator, query)).toMatchObject({
    keys: ['a%20b%2F%2B%26%3C%E5%9B%BE%3E'],
    prefixes: ['a%20b%2F%01%2F'],
    elements: { Prefix: 'a%20b%2F', Delimiter: '%2F', KeyMarker: 'a%20b%2F', EncodingType: 'url' },
  });
});

it('lists no upload that was completed or aborted, nor one of another bucket', async () => {
  const emulator = await startTestEmulator({
    buckets: { [BUCKET]: { region: 'cn-hangzhou' }, 'other-bucket': { region: 'cn-hangzhou' } },
  });
  const [completed, aborted] = [multipartCalls(emulator, 'a'), multipartCalls(emulator, 'b')];
  const uploadId = await completed.initiate();
  await completed.complete(uploadId, await completed.putParts(uploadId, [Buffer.from('a')]));
  await aborted.abort(await aborted.initiate());
  await multipartCalls(emulator, 'c').initiate({ bucket: 'other-bucket' });
  expect((await list(emulator, {})).keys).toStrictEqual([]);
});

it.each([
  [{ 'max-uploads': '0' }],
  [{ 'max-uploads': '1001' }],
  [{ 'encoding-type': 'base64' }],
  [{ prefix: 'x'.repeat(1024) }],
])('rejects %j', async (query) => {
  const emulator = await startTestEmulator();
  const response = await multipartCalls(emulator, '').call('GET', { uploads: '', ...query });
  expect(await faultOf(response)).toStrictEqual([400, 'InvalidArgument', undefined]);
});

it('needs a signature', async () => {
  const emulator = await startTestEmulator();
  expect((await fetch(`${emulator.url}/${BUCKET}/?uploads`)).status).toBe(403);
});
