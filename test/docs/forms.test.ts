import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import { isFormHeader } from '../../src/storage/oss/form-fields.ts';
import { ADDED_HEADERS } from '../../src/storage/oss/header-values.ts';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { formUpload } from '../support/client-snippets.ts';
import { codeBlocks, readDocument, shownPattern } from '../support/documents.ts';
import { alipay, dingTalk, type MiniProgram, weChat } from '../support/mini-program.ts';
import { testIssuerEntry } from '../support/policies.ts';
import { createTestApp } from '../support/test-app.ts';
import type { Interference } from '../support/wire.ts';

const PAGE = 'docs/forms.md';
const page = readDocument(PAGE);

async function setUp(oss: Interference = {}): Promise<ClientEnvironment> {
  const environment = await startClientEnvironment();
  onTestFinished(environment.close);
  environment.oss.interfere(oss);
  return environment;
}

it('the service returns what the page shows, with the rule of the page', async () => {
  const { targets } = parse(readDocument('policy.example.yaml'));
  const { rules } = parse(codeBlocks(PAGE, 'yaml')[0] ?? '');
  const { post } = await createTestApp({
    policyYaml: stringify({ issuers: [testIssuerEntry()], targets, rules }),
  });
  const [, body = ''] = /-d '(.*)'/.exec(codeBlocks(PAGE, 'sh')[0] ?? '') ?? [];
  const response = await post(body);
  const shown = JSON.parse(codeBlocks(PAGE, 'json')[0] ?? '', (_name, value) =>
    typeof value === 'string' && value.includes('…') ? expect.stringMatching(shownPattern(value)) : value,
  );
  expect(response.body).toStrictEqual(shown);
});

it('the page lists every header that a form cannot carry, and no other', () => {
  const [, list = ''] = /that a form cannot carry: ([\s\S]*?)\.\n/.exec(page) ?? [];
  const named = [...list.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.toLowerCase());
  const rejected = ADDED_HEADERS.filter((name) => !isFormHeader(name));
  expect(named.toSorted()).toStrictEqual(rejected.toSorted());
});

it('the page lists every field that a form can have', async () => {
  const { fields: shown } = JSON.parse(codeBlocks(PAGE, 'json')[0] ?? '{}');
  const bound = page.slice(page.indexOf('## What is bound'), page.indexOf('## What stays free'));
  const named = [...bound.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name.toLowerCase());
  const signature = ['policy', 'x-oss-signature'];
  const carried = ADDED_HEADERS.filter((name) => isFormHeader(name));
  const expected = [...Object.keys(shown), ...carried].map((name) => name.toLowerCase());
  expect(expected.filter((name) => !named.includes(name) && !signature.includes(name))).toStrictEqual([]);
});

describe('the snippet for pages', () => {
  const NOTE = new File(['Hello, bucket\n'], 'note.txt', { type: 'text/plain' });

  it('uploads a file', async () => {
    const environment = await setUp();
    const key = await (await formUpload(environment.service.url))(NOTE, environment.token);
    expect(key).toMatch(/^users\/alice\/.*\.txt$/);
    expect(await environment.read(key)).toMatchObject({
      bytes: 14,
      headers: { 'content-type': 'text/plain' },
    });
  });

  it('sends a composed name and a fallback type, and throws the detail of a rejection', async () => {
    const environment = await setUp();
    const upload = await formUpload(environment.service.url);
    const outcome = await upload(new File(['?'], 'Cafe\u0301.blend'), environment.token).catch(String);
    expect(JSON.parse(environment.service.exchanges[0]?.body ?? '{}')).toStrictEqual({
      transfer: 'form',
      filename: 'Café.blend',
      contentType: 'application/octet-stream',
      contentLength: 1,
    });
    expect(outcome).toBe(`Error: ${JSON.parse(environment.service.exchanges[0]?.response ?? '{}').detail}`);
  });

  it.each([403, 409, 500])('throws for status %i of OSS, without the fields', async (status) => {
    const environment = await setUp({ faults: [{ status, body: '<Error><Code>Wrong</Code></Error>' }] });
    const upload = await formUpload(environment.service.url);
    const outcome = await upload(NOTE, environment.token).catch(String);
    expect(outcome).toBe(`Error: OSS rejected the upload: ${status} Wrong`);
  });
});

describe.each<[string, () => MiniProgram]>([
  ['WeChat', weChat],
  ['Alipay', alipay],
  ['DingTalk', dingTalk],
])('the example for mini programs on %s', (_name, createPlatform) => {
  const BYTES = '\x89PNG not really a picture';

  async function upload(
    options: Readonly<Record<string, unknown>> = {},
    oss: Interference = {},
    fileName = 'wxfile_tmp_a1b2c3.png',
  ) {
    const folder = mkdtempSync(join(tmpdir(), 'oss-presign-mini-program-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const filePath = join(folder, fileName);
    writeFileSync(filePath, BYTES);
    const environment = await setUp(oss);
    // @ts-expect-error a program in JavaScript
    const { uploadFile } = await import('../../examples/mini-program/upload.js');
    const place = { service: environment.service.url, token: environment.token, filePath };
    const uploaded: string | { key: string; id: string } = await uploadFile(createPlatform(), {
      ...place,
      size: Buffer.byteLength(BYTES),
      ...options,
    }).catch(String);
    if (typeof uploaded === 'string') return { environment, outcome: uploaded, id: undefined };
    return { environment, outcome: uploaded.key, id: uploaded.id };
  }

  it('uploads a file', async () => {
    const { environment, outcome, id } = await upload();
    expect(id).toBe(JSON.parse(environment.service.exchanges[0]?.response ?? '{}').id ?? 'no id');
    expect(outcome).toMatch(/^users\/alice\/[0-9a-f-]{36}\.png$/);
    expect(await environment.read(outcome)).toMatchObject({
      bytes: Buffer.byteLength(BYTES),
      headers: { 'content-type': 'image/png', 'content-disposition': 'attachment' },
    });
  });

  it('uploads a file of unknown size with a maximum, and under its name', async () => {
    const { environment, outcome } = await upload({
      size: undefined,
      maxSize: 1_000_000,
      name: '假期 1.PNG',
    });
    expect(JSON.parse(environment.service.exchanges[0]?.body ?? '{}')).toStrictEqual({
      transfer: 'form',
      filename: '假期 1.PNG',
      contentType: 'image/png',
      maxContentLength: 1_000_000,
    });
    expect((await environment.read(outcome)).bytes).toBe(Buffer.byteLength(BYTES));
  });

  it('throws the detail of a rejection', async () => {
    const { environment, outcome } = await upload({ size: undefined, maxSize: 2 ** 40 });
    expect(outcome).toBe(`Error: ${JSON.parse(environment.service.exchanges[0]?.response ?? '{}').detail}`);
    expect(outcome).toContain('at most');
  });

  it('takes 203 for stored, and any other status of OSS for a failure', async () => {
    const stored = await upload({}, { faults: [{ status: 203, isPassedOn: true }] });
    expect(stored.outcome).toMatch(/^users\/alice\//);
    const failed = await upload({}, { faults: [{ status: 204 }] });
    expect(failed.outcome).toBe('Error: OSS rejected the upload: 204 undefined');
    const wrongSize = await upload({ size: 3 });
    expect(wrongSize.outcome).toBe('Error: OSS rejected the upload: 400 EntityTooLarge');
  });

  it('reports that the bucket cannot be reached, without the fields', async () => {
    const { outcome } = await upload({}, { faults: ['reset'] });
    expect(outcome).toMatch(/^Error: The bucket cannot be reached: /);
    expect(outcome).not.toMatch(/policy|signature/i);
  });
});

it('the page shows the call of the example', () => {
  const example = readFileSync(new URL('../../examples/mini-program/upload.js', import.meta.url), 'utf8');
  const [, call = ''] = /```js\nwx\.uploadFile\(\{([\s\S]*?)\}\);\n```/.exec(page) ?? [];
  const names = [...call.matchAll(/^ {2}(\w+)\b/gm)].map(([, name = '']) => name);
  expect(names).toStrictEqual(['url', 'filePath', 'name', 'formData', 'timeout', 'success']);
  for (const name of names) expect(example).toMatch(new RegExp(`^ {6}${name}\\b`, 'm'));
});
