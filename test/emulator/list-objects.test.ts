import { describe, expect, it } from 'vitest';
import { BUCKET, readXml, startTestEmulator, type TestEmulator } from '../support/test-emulator.ts';

type Page = {
  /** The elements of the result, with the last of those that are there several times. */
  readonly elements: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
  readonly prefixes: readonly string[];
  readonly text: string;
};

async function list(emulator: TestEmulator, query: Readonly<Record<string, string>>): Promise<Page> {
  const response = await fetch(emulator.presign({ method: 'GET', key: '', query }));
  const text = await response.text();
  expect([response.status, response.headers.get('content-type')], text).toStrictEqual([
    200,
    'application/xml',
  ]);
  const inside = (element: string, name: string) =>
    [...text.matchAll(new RegExp(`<${element}>(.*?)</${element}>`, 'gs'))].map(
      ([, xml = '']) => readXml(xml)[name] ?? '',
    );
  const outside = text.replaceAll(/<(Contents|CommonPrefixes)>.*?<\/\1>/gs, '');
  return {
    elements: readXml(outside),
    keys: inside('Contents', 'Key'),
    prefixes: inside('CommonPrefixes', 'Prefix'),
    text,
  };
}

const V2 = { 'list-type': '2' };

async function startWith(keys: readonly string[]): Promise<TestEmulator> {
  const emulator = await startTestEmulator();
  await Promise.all(keys.map((key) => emulator.put(key, key)));
  return emulator;
}

it('describes each object', async () => {
  const emulator = await startTestEmulator();
  await emulator.put('dir/a.txt', '123456789', { headers: { 'x-oss-storage-class': 'IA' } });
  const { text } = await list(emulator, V2);
  expect(text).toBe(`<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult>
  <Name>${BUCKET}</Name>
  <Prefix></Prefix>
  <StartAfter></StartAfter>
  <MaxKeys>100</MaxKeys>
  <Delimiter></Delimiter>
  <IsTruncated>false</IsTruncated>
  <KeyCount>1</KeyCount>
  <Contents>
    <Key>dir/a.txt</Key>
    <LastModified>2026-11-23T10:00:00.000Z</LastModified>
    <ETag>"25F9E794323B453885F5181F1B624D0B"</ETag>
    <Type>Normal</Type>
    <Size>9</Size>
    <StorageClass>IA</StorageClass>
  </Contents>
</ListBucketResult>
`);
});

it.each([
  ['version 2', V2, false],
  ['version 2 with fetch-owner', { ...V2, 'fetch-owner': 'true' }, true],
  ['version 1', {}, true],
])('names the owner in %s: %s', async (_name, query, hasOwner) => {
  const { text } = await list(await startWith(['a']), query);
  expect(text.includes('<Owner>')).toBe(hasOwner);
});

// In UTF-16, the emoji comes before the full-width letter.
const KEYS = ['B', 'a', 'a/', 'a/1', 'a/b/1', 'a/b/2', 'a/c', 'b/1', 'ｚ', '😀'];

it('lists in the order of UTF-8 bytes', async () => {
  const { keys, elements } = await list(await startWith(KEYS.toReversed()), V2);
  expect(keys).toStrictEqual(KEYS);
  expect(elements).toMatchObject({ KeyCount: '10', IsTruncated: 'false' });
});

it.each<[Record<string, string>, readonly string[], readonly string[]]>([
  [{ prefix: 'a/' }, ['a/', 'a/1', 'a/b/1', 'a/b/2', 'a/c'], []],
  [{ prefix: 'a/b' }, ['a/b/1', 'a/b/2'], []],
  [{ prefix: 'nothing' }, [], []],
  [{ delimiter: '/' }, ['B', 'a', 'ｚ', '😀'], ['a/', 'b/']],
  [{ prefix: 'a/', delimiter: '/' }, ['a/', 'a/1', 'a/c'], ['a/b/']],
  [{ prefix: 'a', delimiter: '/b/' }, ['a', 'a/', 'a/1', 'a/c'], ['a/b/']],
  [{ 'start-after': 'a/b/1' }, ['a/b/2', 'a/c', 'b/1', 'ｚ', '😀'], []],
  [{ 'start-after': 'a/b/1', delimiter: '/' }, ['ｚ', '😀'], ['a/', 'b/']],
  [{ 'start-after': 'ｚ' }, ['😀'], []],
])('with %j, lists %j and the common prefixes %j', async (query, keys, prefixes) => {
  const page = await list(await startWith(KEYS), { ...V2, ...query });
  expect([page.keys, page.prefixes]).toStrictEqual([keys, prefixes]);
  expect(page.elements.KeyCount).toBe(String(keys.length + prefixes.length));
});

describe.each([
  ['version 2', V2, 'continuation-token', 'NextContinuationToken'],
  ['version 1', {}, 'marker', 'NextMarker'],
])('in pages, %s', (_name, version, parameter, next) => {
  it.each([
    [{}, 1],
    [{}, 3],
    [{}, 10],
    [{ delimiter: '/' }, 1],
    [{ delimiter: '/' }, 4],
    [{ prefix: 'a/', delimiter: '/' }, 2],
  ])('lists everything once with %j and max-keys %i', async (filter, maxKeys) => {
    const emulator = await startWith(KEYS);
    const whole = await list(emulator, { ...version, ...filter });
    const pages: Page[] = [];
    let marker: string | undefined;
    do {
      const page = await list(emulator, {
        ...version,
        ...filter,
        'max-keys': String(maxKeys),
        ...(marker !== undefined && { [parameter]: marker }),
      });
      pages.push(page);
      marker = page.elements[next];
      expect(page.elements.IsTruncated).toBe(String(marker !== undefined));
      expect(page.keys.length + page.prefixes.length).toBeLessThanOrEqual(maxKeys);
    } while (marker !== undefined);
    expect(pages.flatMap(({ keys }) => keys)).toStrictEqual(whole.keys);
    expect(pages.flatMap(({ prefixes }) => prefixes)).toStrictEqual(whole.prefixes);
    expect(pages).toHaveLength(Math.ceil((whole.keys.length + whole.prefixes.length) / maxKeys));
  });
});

it('encodes names with encoding-type=url', async () => {
  const emulator = await startWith(['a b/+&<图>', 'a b/\u0001/x']);
  const query = { ...V2, 'encoding-type': 'url', prefix: 'a b/', delimiter: '/', 'start-after': 'a b/' };
  const page = await list(emulator, query);
  expect(page).toMatchObject({
    keys: ['a%20b%2F%2B%26%3C%E5%9B%BE%3E'],
    prefixes: ['a%20b%2F%01%2F'],
    elements: { Prefix: 'a%20b%2F', Delimiter: '%2F', StartAfter: 'a%20b%2F', EncodingType: 'url' },
  });
  const plain = await list(emulator, { ...V2, prefix: 'a b/+' });
  expect(plain.keys).toStrictEqual(['a b/+&<图>']);
});

it.each([
  [{ 'max-keys': '0' }, 'max-keys'],
  [{ 'max-keys': '1001' }, 'max-keys'],
  [{ 'max-keys': 'ten' }, 'max-keys'],
  [{ 'encoding-type': 'base64' }, 'encoding-type'],
  [{ 'continuation-token': 'no token!' }, 'continuation-token'],
  [{ prefix: 'x'.repeat(1024) }, 'prefix'],
])('rejects %j', async (query, name) => {
  const emulator = await startTestEmulator();
  const response = await fetch(emulator.presign({ method: 'GET', key: '', query: { ...V2, ...query } }));
  expect([response.status, readXml(await response.text())]).toMatchObject([
    400,
    { Code: 'InvalidArgument', ArgumentName: name },
  ]);
});

it('needs a signature', async () => {
  const emulator = await startWith(['a']);
  const response = await fetch(`${emulator.url}/${BUCKET}/?list-type=2`);
  expect([response.status, readXml(await response.text()).Code]).toStrictEqual([403, 'AccessDenied']);
});

it('lists forms and symbolic links too, and no object that was deleted', async () => {
  const emulator = await startWith(['a', 'b']);
  const headers = { 'x-oss-symlink-target': 'a' };
  await fetch(emulator.presign({ key: 'link', headers, query: { symlink: '' } }), { method: 'PUT', headers });
  await fetch(emulator.presign({ method: 'DELETE', key: 'b' }), { method: 'DELETE' });
  const { keys, text } = await list(emulator, V2);
  expect(keys).toStrictEqual(['a', 'link']);
  expect([...text.matchAll(/<Type>(.*)<\/Type>/g)].map(([, type]) => type)).toStrictEqual([
    'Normal',
    'Symlink',
  ]);
});
