import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { FormGrant } from '../../src/grants/upload/response.ts';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { formCurl } from '../support/client-snippets.ts';

const PHOTO = 'not really a picture\n';

/** Values that curl would read as something else than a text. */
const METADATA = { album: '@/etc/hostname', 'original-name': '<form.json;type=text/html;filename="x"' };

async function setUp(): Promise<{
  readonly environment: ClientEnvironment;
  readonly folder: string;
  grant(change?: Readonly<Record<string, unknown>>): Promise<FormGrant>;
}> {
  const environment = await startClientEnvironment();
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-form-'));
  onTestFinished(async () => {
    rmSync(folder, { recursive: true });
    await environment.close();
  });
  return {
    environment,
    folder,
    grant: async (change) => {
      const response = await fetch(`${environment.service.url}/v1/uploads`, {
        method: 'POST',
        headers: { authorization: `Bearer ${environment.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          transfer: 'form',
          filename: 'photo.png',
          contentType: 'image/png',
          contentLength: PHOTO.length,
          metadata: METADATA,
          ...change,
        }),
      });
      expect(response.status, await response.clone().text()).toBe(201);
      return (await response.json()) as FormGrant;
    },
  };
}

/** Runs a program to its end. */
async function run(program: string, args: readonly string[], cwd: string, input = '') {
  const child = spawn(program, args, { cwd });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  child.stdin.end(input);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  return { code, stdout, stderr };
}

async function expectStored({ environment }: { environment: ClientEnvironment }, { key }: FormGrant) {
  expect(await environment.read(key)).toMatchObject({
    status: 200,
    bytes: PHOTO.length,
    headers: {
      'content-type': 'image/png',
      'x-oss-meta-album': METADATA.album,
      'x-oss-meta-original-name': METADATA['original-name'],
    },
  });
}

describe('curl', () => {
  it.each([
    ['a plain key', {}],
    [
      'a key with Chinese, quotation marks and a dollar sign',
      { filename: undefined, key: 'users/alice/报告 "1" $a\'b.png' },
    ],
  ])('sends the form of docs/forms.md with %s', async (_name, change) => {
    const place = await setUp();
    const grant = await place.grant(change);
    writeFileSync(join(place.folder, 'form.json'), JSON.stringify(grant));
    writeFileSync(join(place.folder, 'photo.png'), PHOTO);
    const { code, stdout, stderr } = await run('bash', ['-c', formCurl()], place.folder);
    expect({ code, stdout, stderr }).toStrictEqual({ code: 0, stdout: '200\n', stderr: '' });
    await expectStored(place, grant);
  });

  it('needs --form-string: with --form, a value names a file or loses its end', async () => {
    const place = await setUp();
    const grant = await place.grant();
    writeFileSync(join(place.folder, 'photo.png'), PHOTO);
    const args = (option: string) => [
      ...['--silent', '--show-error', '--output', '/dev/null', '--write-out', '%{http_code}'],
      ...Object.entries(grant.fields).flatMap(([name, value]) => [option, `${name}=${value}`]),
      ...['--form', 'file=@photo.png', grant.url],
    ];
    expect((await run('curl', args('--form'), place.folder)).stdout).not.toBe('200');
    expect((await run('curl', args('--form-string'), place.folder)).stdout).toBe('200');
    await expectStored(place, grant);
  });
});

describe('Python', () => {
  const PROGRAM = `
import json, sys, requests
grant = json.load(sys.stdin)
with open("photo.png", "rb") as file:
    sent = requests.post(grant["url"], data=grant["fields"], files={grant["fileField"]: file})
print(sent.status_code)
`;

  it('requests sends the form', async () => {
    const place = await setUp();
    const grant = await place.grant();
    writeFileSync(join(place.folder, 'photo.png'), PHOTO);
    const python = join(inject('clientsFolder'), 'python', '.venv', 'bin', 'python');
    const { code, stdout, stderr } = await run(python, ['-c', PROGRAM], place.folder, JSON.stringify(grant));
    expect({ code, stdout, stderr }).toStrictEqual({ code: 0, stdout: '200\n', stderr: '' });
    await expectStored(place, grant);
  });
});
