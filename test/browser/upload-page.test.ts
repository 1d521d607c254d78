import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CorsRule } from '../../src/emulator/emulator.ts';
import { FILES, hashFile, LARGE_FILE, writeFile } from '../support/client-files.ts';
import { SHIPPED_RULES } from '../support/client-policies.ts';
import { browserSnippet } from '../support/client-snippets.ts';
import { launchChromium, watchMemory } from './chromium.ts';
import { makeFolder, openUploadPage } from './page.ts';

const NO_WAY_TO_OSS = 'OSS cannot be reached, or no CORS rule of the bucket allows';
const BAD_SIGNATURE =
  'OSS rejected the upload: 403 SignatureDoesNotMatch: The request signature we calculated does not match the signature you provided. Check your key and signing method.';

/** The rule that docs/troubleshooting.md shows, for another origin. */
const rightRule = (origin: string): CorsRule => ({
  allowedOrigins: [origin],
  allowedMethods: shown('AllowedMethod'),
  allowedHeaders: shown('AllowedHeader'),
  exposeHeaders: shown('ExposeHeader'),
});
const rightRules = (origin: string) => [rightRule(origin)];
const anyHeader = (origin: string) => [{ ...rightRule(origin), allowedHeaders: ['*'] }];

function shown(element: string): string[] {
  const text = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
  return [...text.matchAll(new RegExp(`<${element}>(.*)</${element}>`, 'g'))].map(([, value = '']) => value);
}

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

function makeNote(): string {
  const path = join(makeFolder(), 'note.txt');
  writeFileSync(path, 'Hello, bucket\n');
  return path;
}

it.each([...FILES, LARGE_FILE])(
  'puts $title into the bucket unchanged, and shows key and ETag',
  async (file) => {
    const folder = makeFolder();
    await writeFile(folder, file);
    const page = await openUploadPage(browser, { corsRules: rightRules });
    const idle = watchMemory().stop();
    const memory = watchMemory();
    const key = `users/alice/${file.name}`;
    const message = await page.upload(join(folder, file.name), key, 'album=examples');
    const grownMib = memory.stop() - idle;
    const object = await page.environment.read(key);
    expect(message).toBe(`Uploaded ${key}, ETag ${object.headers.etag}`);
    expect(object).toMatchObject({
      status: 200,
      headers: {
        'content-type': file.type,
        'x-oss-meta-album': 'examples',
        'content-disposition': 'attachment',
      },
      sha256: await hashFile(join(folder, file.name)),
    });
    console.info(
      `browser: ${object.bytes} bytes, memory grows by ${grownMib.toFixed(0)} MiB from ${idle.toFixed(0)} MiB`,
    );
    expect(grownMib).toBeLessThan(200);
  },
);

it('shows why the service rejects a request', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  expect(await page.upload(makeNote(), 'users/bob/note.txt')).toBe(
    'The service rejected the request: The key must begin with "users/alice/".',
  );
  expect(page.environment.oss.exchanges).toHaveLength(0);
});

it.each([
  ['is missing', { 'x-oss-meta-album': undefined }],
  ['is another', { 'x-oss-forbid-overwrite': 'false' }],
])('shows the error of OSS when a header %s', async (_title, change) => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  page.environment.changeGrantedHeaders(change);
  expect(await page.upload(makeNote(), 'users/alice/note.txt', 'album=examples')).toBe(BAD_SIGNATURE);
});

describe('a Content-Type that the page did not set', () => {
  it('is the File’s own, which happens to be what was signed', async () => {
    const page = await openUploadPage(browser, { corsRules: rightRules });
    page.environment.changeGrantedHeaders({ 'Content-Type': undefined });
    expect(await page.upload(makeNote(), 'users/alice/note.txt')).toContain('Uploaded');
    expect(page.environment.oss.sent('content-type')).toBe('text/plain');
  });

  it.each([
    ['a string', 'await file.text()', 'text/plain;charset=UTF-8'],
    ['a Blob of another type', "new Blob([file], { type: 'text/markdown' })", 'text/markdown'],
    ['a FormData', 'new FormData(form)', expect.stringMatching(/^multipart\/form-data; boundary=/)],
  ])('is that of %s, and OSS rejects it', async (_title, body, type) => {
    const page = await openUploadPage(browser, {
      corsRules: rightRules,
      change: ['body: file }', `body: ${body} }`],
    });
    page.environment.changeGrantedHeaders({ 'Content-Type': undefined });
    expect(await page.upload(makeNote(), 'users/alice/note.txt')).toBe(BAD_SIGNATURE);
    expect(page.environment.oss.sent('content-type')).toStrictEqual(type);
  });
});

it('shows that the URL has expired', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  page.environment.setClockAhead(601);
  expect(await page.upload(makeNote(), 'users/alice/note.txt')).toBe(
    'OSS rejected the upload: 403 AccessDenied: Request has expired.',
  );
});

const OPEN = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'Retry-After, ETag' };

it.each(SHIPPED_RULES)('uploads $file by the rule $rule of $policy without key and metadata', async (row) => {
  const folder = makeFolder();
  writeFileSync(join(folder, row.file), 'bytes');
  const page = await openUploadPage(browser, {
    corsRules: anyHeader,
    policyFile: row.policy,
    claims: row.claims,
  });
  const message = await page.upload(join(folder, row.file));
  const [, key = ''] = /^Uploaded (.*), ETag "/.exec(message) ?? [];
  expect(key, message).toMatch(new RegExp(`^${row.prefix}[0-9a-f-]{36}\\.[a-z]{3}$`));
  const { headers } = await page.environment.read(key);
  expect(headers['content-type']).toBe(row.type);
  expect(Object.keys(headers).filter((name) => name.startsWith('x-oss-meta-'))).toStrictEqual([]);
});

it('asks with a composed name, and with a type where the browser knows none', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  const path = join(makeFolder(), 'Cafe\u0301.unheard-of');
  writeFileSync(path, '?');
  await page.upload(path);
  await page.upload(path, 'users/alice/Cafe\u0301.unheard-of');
  const asked = page.environment.service.exchanges.filter(({ method }) => method === 'POST');
  expect(asked.map(({ body }) => JSON.parse(body))).toStrictEqual([
    { filename: 'Café.unheard-of', contentType: 'application/octet-stream', contentLength: 1 },
    { key: 'users/alice/Café.unheard-of', contentType: 'application/octet-stream', contentLength: 1 },
  ]);
});

it('repeats 503 after Retry-After, and takes 409 after a lost response for stored', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  page.environment.service.interfere({
    faults: [{ status: 503, headers: { ...OPEN, 'retry-after': '1' }, body: '{}' }],
  });
  page.environment.oss.interfere({ faults: ['lose response'] });
  expect(await page.upload(makeNote())).toMatch(
    /^Uploaded users\/alice\/.*\. An earlier attempt had stored it$/,
  );
  const statuses = page.environment.oss.exchanges.filter(({ method }) => method === 'PUT');
  expect(statuses.map(({ status }) => status)).toStrictEqual([200, 409]);
});

it('repeats a network error of the service and a 5xx of OSS once', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  page.environment.service.interfere({ faults: ['reset'] });
  page.environment.oss.interfere({ faults: [{ status: 500, headers: OPEN, body: '<Error/>' }] });
  expect(await page.upload(makeNote(), 'users/alice/note.txt')).toMatch(
    /^Uploaded users\/alice\/note.txt, ETag "/,
  );
});

it('shows for 203 that the file is stored', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  page.environment.oss.interfere({
    faults: [{ status: 203, headers: OPEN, body: '<Error/>', isPassedOn: true }],
  });
  expect(await page.upload(makeNote(), 'users/alice/note.txt')).toBe(
    'Uploaded users/alice/note.txt. OSS could not notify the application. Do not upload the file again',
  );
});

it('shows that the key is taken', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  await page.upload(makeNote(), 'users/alice/note.txt');
  expect(await page.upload(makeNote(), 'users/alice/note.txt')).toMatch(
    /^OSS rejected the upload: 409 FileAlreadyExists: .* The key is taken/,
  );
});

it('the snippet of docs/clients.md uploads from a page, and throws for a rejected upload', async () => {
  const page = await openUploadPage(browser, { corsRules: rightRules });
  await page.tab.addScriptTag({ content: browserSnippet(page.environment.service.url) });
  const run = () =>
    page.tab.evaluate(
      (token) =>
        // @ts-expect-error: the script above defines it.
        upload(new File(['Hello, bucket\n'], 'note.txt', { type: 'text/plain' }), token).catch(String),
      page.environment.token,
    );
  const { key, isNotified } = await run();
  expect(isNotified).toBe(true);
  expect((await page.environment.read(key)).bytes).toBe(14);
  page.environment.changeGrantedHeaders({ 'x-oss-forbid-overwrite': 'false' });
  expect(await run()).toBe('Error: OSS rejected the upload: 403 SignatureDoesNotMatch');
});

describe('CORS', () => {
  it.each<[string, (origin: string) => readonly CorsRule[], RegExp]>([
    [
      'the bucket has no rule',
      () => [],
      /preflight request doesn't pass.*No 'Access-Control-Allow-Origin' header/,
    ],
    [
      'no rule allows a header',
      (origin) => [{ ...rightRule(origin), allowedHeaders: ['content-type'] }],
      /preflight request doesn't pass.*No 'Access-Control-Allow-Origin' header/,
    ],
    [
      'no rule allows the origin',
      () => [rightRule('https://app.example.com')],
      /preflight request doesn't pass.*No 'Access-Control-Allow-Origin' header/,
    ],
  ])('the browser sends nothing when %s', async (_title, corsRules, consoleText) => {
    const page = await openUploadPage(browser, { corsRules });
    expect(await page.upload(makeNote(), 'users/alice/note.txt')).toContain(NO_WAY_TO_OSS);
    expect(page.console.join('\n')).toMatch(consoleText);
    expect(page.environment.oss.exchanges.map(({ method, status }) => [method, status])).toStrictEqual([
      ['OPTIONS', 403],
      ['OPTIONS', 403],
    ]);
    expect(page.environment.oss.exchanges[0]?.response).toContain('<Code>AccessForbidden</Code>');
  });

  it('the page cannot read the ETag that no rule exposes', async () => {
    const page = await openUploadPage(browser, {
      corsRules: (origin) => [{ ...rightRule(origin), exposeHeaders: [] }],
    });
    expect(await page.upload(makeNote(), 'users/alice/note.txt')).toBe(
      'Uploaded users/alice/note.txt, ETag null',
    );
  });

  it('one preflight and one PUT do with the right rule', async () => {
    const page = await openUploadPage(browser, { corsRules: rightRules });
    expect(await page.upload(makeNote(), 'users/alice/note.txt')).toContain('Uploaded');
    expect(page.environment.oss.exchanges.map(({ method, status }) => [method, status])).toStrictEqual([
      ['OPTIONS', 200],
      ['PUT', 200],
    ]);
  });
});
