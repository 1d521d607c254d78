import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { CorsRule } from '../../src/emulator/options.ts';
import { mediaTarget, policyWith } from '../support/policies.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestApp } from '../support/test-app.ts';
import { BUCKET, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { createTestIssuer } from '../support/tokens.ts';

const jwks = JSON.stringify(createTestIssuer().jwks);
const ORIGIN = 'https://app.example.com';

const RULES = [
  {
    name: 'everything',
    who: { scope: 'uploads:write' },
    target: 'media',
    prefix: 'users/{sub}/',
    contentTypes: ['image/*'],
    maxSize: '1MiB',
    metadata: { allowed: ['album'], required: ['camera'] },
    clientHeaders: ['cacheControl', 'contentEncoding'],
    headers: { 'Content-Disposition': 'attachment', 'X-Oss-Storage-Class': 'IA', 'x-oss-meta-source': 'web' },
  },
  {
    name: 'plain',
    who: { scope: 'plain' },
    target: 'media',
    prefix: 'plain/',
    contentTypes: ['text/plain'],
    maxSize: '1KiB',
    overwrite: true,
  },
];
const policyYaml = policyWith({ rules: RULES });

const print = (argv: readonly string[] = ['--origin', ORIGIN], env = {}, policy = policyYaml) =>
  runCli(['bucket-cors', ...argv], { env, files: { 'policy.yaml': policy, 'jwks.json': jwks } });

/** Reads the printed rules as OSS does. */
function rulesOf(script: string): CorsRule[] {
  return [...script.matchAll(/<CORSRule>([\s\S]*?)<\/CORSRule>/g)].map(([, rule = '']) => {
    const values = (name: string) =>
      [...rule.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value = '']) => value);
    return {
      allowedOrigins: values('AllowedOrigin'),
      allowedMethods: values('AllowedMethod'),
      allowedHeaders: values('AllowedHeader'),
      exposeHeaders: values('ExposeHeader'),
      maxAgeSeconds: Number(values('MaxAgeSeconds')[0]),
    };
  });
}

/** The headers of a granted response that uses all that the first rule allows. */
async function grantedHeaders(): Promise<Readonly<Record<string, string>>> {
  const { post } = await createTestApp({ policyYaml });
  const response = await post({
    key: 'users/alice/a.png',
    contentType: 'image/png',
    contentLength: 1,
    contentMd5: 'DMF1ucDxtqgxw5niaXcmYQ==',
    metadata: { album: '1', camera: '2' },
    cacheControl: 'no-cache',
    contentEncoding: 'gzip',
  });
  expect(response.status).toBe(201);
  return response.body.headers;
}

/** The preflight that a browser sends before a PUT with these headers. */
async function preflight(corsRules: readonly CorsRule[], headers: readonly string[], origin = ORIGIN) {
  const emulator = await startTestEmulator({ buckets: { [BUCKET]: { region: REGION, corsRules } } });
  const response = await fetch(`${emulator.url}/${BUCKET}/users/alice/a.png`, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': headers
        .map((name) => name.toLowerCase())
        .sort()
        .join(','),
    },
  });
  return [response.status, response.headers.get('access-control-allow-origin')];
}

it('the printed rule allows every header of a grant, from the given origin only', async () => {
  const { code, stdout, stderr } = await print();
  expect([code, stderr]).toStrictEqual([0, '']);
  const names = Object.keys(await grantedHeaders());
  expect(await preflight(rulesOf(stdout), names)).toStrictEqual([200, ORIGIN]);
  expect(await preflight(rulesOf(stdout), names, 'https://evil.example')).toStrictEqual([403, null]);
});

it('every header of the printed rule is needed: without one of them, the upload is rejected', async () => {
  const [rule, ...others] = rulesOf((await print()).stdout);
  const names = Object.keys(await grantedHeaders());
  expect(others).toStrictEqual([]);
  expect(rule?.allowedHeaders).toHaveLength(names.length);
  for (const missing of rule?.allowedHeaders ?? []) {
    const allowedHeaders = rule?.allowedHeaders.filter((name) => name !== missing) ?? [];
    const rejected = await preflight(rule ? [{ ...rule, allowedHeaders }] : [], names);
    expect(rejected, missing).toStrictEqual([403, null]);
  }
});

it('lets the page upload and read the response of OSS, and nothing else', async () => {
  expect(rulesOf((await print()).stdout)[0]).toMatchObject({
    allowedOrigins: [ORIGIN],
    allowedMethods: ['PUT'],
    exposeHeaders: ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'],
    maxAgeSeconds: 3600,
  });
});

it('lets the page send forms, which need no header, and read the response', async () => {
  const [everything = {}, plain = {}] = RULES;
  const methodsOf = async (rules: readonly Readonly<Record<string, unknown>>[]) =>
    rulesOf((await print(undefined, undefined, policyWith({ rules }))).stdout)[0];
  const both = await methodsOf([{ ...everything, transfers: ['put', 'form'], headers: {} }, plain]);
  expect(both?.allowedMethods).toStrictEqual(['POST', 'PUT']);
  const onlyForms = await methodsOf([{ ...plain, transfers: ['form'] }]);
  expect(onlyForms).toMatchObject({
    allowedMethods: ['POST'],
    allowedHeaders: [],
    exposeHeaders: ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'],
  });
});

it('lets the page send parts, with no header but their MD5', async () => {
  const [, plain = {}] = RULES;
  const [onlyParts] = rulesOf(
    (await print(undefined, undefined, policyWith({ rules: [{ ...plain, transfers: ['multipart'] }] })))
      .stdout,
  );
  expect(onlyParts).toMatchObject({
    allowedMethods: ['PUT'],
    allowedHeaders: ['content-md5'],
    exposeHeaders: ['ETag', 'x-oss-request-id', 'x-oss-hash-crc64ecma'],
  });
  expect(await preflight(onlyParts ? [onlyParts] : [], ['content-md5'])).toStrictEqual([200, ORIGIN]);
});

it('prints one script for each bucket, once for all the targets of a bucket', async () => {
  const image = { who: { scope: 'a' }, contentTypes: ['image/png'], maxSize: '1B' };
  const policy = policyWith({
    targets: {
      media: mediaTarget(),
      archive: { bucket: 'acme-archive', region: 'cn-shanghai' },
      cname: mediaTarget({ endpoint: 'https://up.example.com' }),
    },
    rules: [
      ...RULES,
      { ...image, name: 'a', target: 'archive', prefix: 'a/', overwrite: true },
      { ...image, name: 'b', target: 'cname', prefix: 'b/', headers: { 'x-oss-meta-b': 'b' } },
    ],
  });
  const { stdout } = await print(undefined, undefined, policy);
  expect(stdout.match(/^ossutil.*/gm)).toStrictEqual([
    'ossutil api put-bucket-cors --bucket acme-archive --region cn-shanghai --cors-configuration file://cors-acme-archive.xml',
    'ossutil api put-bucket-cors --bucket acme-media --region cn-hangzhou --cors-configuration file://cors-acme-media.xml',
  ]);
  const [archive, media] = rulesOf(stdout);
  expect(archive?.allowedHeaders).toStrictEqual([
    ...['cache-control', 'content-disposition', 'content-md5', 'content-type', 'x-oss-forbid-overwrite'],
    'x-oss-meta-upload-id',
  ]);
  expect(media?.allowedHeaders).toContain('x-oss-meta-b');
});

it('allows each method that the rules of a bucket need, and what downloads need besides', async () => {
  const read = {
    name: 'read',
    who: { scope: 'a' },
    actions: ['download'],
    target: 'media',
    prefix: 'users/',
  };
  const [both] = rulesOf((await print(undefined, undefined, policyWith({ rules: [...RULES, read] }))).stdout);
  expect(both).toMatchObject({
    allowedMethods: ['GET', 'PUT'],
    allowedHeaders: expect.arrayContaining(['content-type', 'if-match', 'range']),
    exposeHeaders: expect.arrayContaining(['ETag', 'Content-Disposition', 'Content-Range']),
  });
  const [onlyReads] = rulesOf((await print(undefined, undefined, policyWith({ rules: [read] }))).stdout);
  expect(onlyReads).toMatchObject({ allowedMethods: ['GET'], allowedHeaders: ['if-match', 'range'] });
});

it('uses the origins of --origin, or else of CORS_ORIGINS, each once', async () => {
  const origins = async (argv: readonly string[]) =>
    rulesOf((await print(argv, { CORS_ORIGINS: 'https://a.test, https://b.test' })).stdout)[0]
      ?.allowedOrigins;
  expect(await origins([])).toStrictEqual(['https://a.test', 'https://b.test']);
  const three = ['--origin', 'https://c.test', '--origin', 'https://d.test', '--origin', 'https://c.test'];
  expect(await origins(three)).toStrictEqual(['https://c.test', 'https://d.test']);
});

it.each([
  [[], {}, 'no origin is given'],
  [['--origin', 'https://a.test/'], {}, '--origin "https://a.test/" must be written as https://a.test.'],
  [['--origin', '*'], {}, '--origin "*" must not contain "*"'],
  [[], { CORS_ORIGINS: 'a.test' }, 'CORS_ORIGINS "a.test" must begin with the scheme'],
])('ends 2 for %j with %j', async (argv, env, fault) => {
  const { code, stdout, stderr } = await print(argv, env);
  expect([code, stdout]).toStrictEqual([2, '']);
  expect(stderr).toContain(`error: ${fault}`);
});

it('is a script that writes the XML and runs ossutil with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-cors-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ossutil'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const { stdout } = await print();
  const output = execFileSync('sh', [], {
    cwd: folder,
    input: stdout,
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  expect(output).toBe(
    'api put-bucket-cors --bucket acme-media --region cn-hangzhou --cors-configuration file://cors-acme-media.xml\n',
  );
  const xml = readFileSync(join(folder, 'cors-acme-media.xml'), 'utf8');
  expect(xml).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<CORSConfiguration>\n[\s\S]*\n<\/CORSConfiguration>\n$/,
  );
  expect(rulesOf(xml)).toStrictEqual(rulesOf(stdout));
});
