import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startClientEnvironment } from '../support/client-environment.ts';
import { adapterRules } from '../support/client-snippets.ts';
import { codeBlocks } from '../support/documents.ts';

const execute = promisify(execFile);
const PHOTO = 'not really a picture\n';

/** A direct upload of `alice`, and the Ruby of docs/adapters.md, which confirms it. */
async function setUp({ isSent = true } = {}) {
  const environment = await startClientEnvironment({ rules: adapterRules(), adapters: 'activestorage' });
  onTestFinished(environment.close);
  const { url } = environment.service;
  const response = await fetch(`${url}/v1/adapters/activestorage/direct_uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${environment.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      blob: {
        filename: 'photo.png',
        content_type: 'image/png',
        byte_size: PHOTO.length,
        checksum: createHash('md5').update(PHOTO).digest('base64'),
      },
    }),
  });
  expect(response.status).toBe(201);
  const blob = (await response.json()) as {
    readonly signed_id: string;
    readonly key: string;
    readonly direct_upload: { readonly url: string; readonly headers: Readonly<Record<string, string>> };
  };
  const { url: signed, headers } = blob.direct_upload;
  if (isSent) expect((await fetch(signed, { method: 'PUT', headers, body: PHOTO })).status).toBe(200);

  const [code = ''] = codeBlocks('docs/adapters.md', 'ruby');
  expect(code).toContain('https://presign.example.com');
  const program = `${code.replace('https://presign.example.com', url)}
signed_id, user_id, token = ARGV
puts JSON.generate(confirm_upload(signed_id, user_id: user_id, token: token))`;
  const token = await environment.sign({ sub: 'backend', scope: '', client_id: 'app-backend' });
  return {
    blob,
    confirm: async (userId: string, id = blob.signed_id) =>
      await execute('ruby', ['-w', '-e', program, id, userId, token]),
  };
}

it('Ruby confirms a direct upload, and gets the claims of the receipt', async () => {
  const { blob, confirm } = await setUp();
  const { stdout, stderr } = await confirm('alice');
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({
    sub: 'alice',
    key: blob.key,
    content_length: PHOTO.length,
    jti: expect.any(String),
  });
});

it.each([
  ['a file that was not sent', { isSent: false }, 'alice', undefined, '404 upload_absent: '],
  ['the upload of another user', {}, 'bob', undefined, 'another user has uploaded this file'],
  ['an id that was changed', {}, 'alice', 'a.b', '403 upload_id_invalid: '],
])('Ruby raises an error for %s', async (_what, options, userId, id, message) => {
  const { confirm } = await setUp(options);
  await expect(confirm(userId, id)).rejects.toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining(message),
  });
});
