import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { curlPart } from '../../src/demo/curl-command.ts';
import { startTestServer } from '../support/test-server.ts';

it('the curl command of the demo sends exactly the bytes of a part, with a length and no type', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'curl-part-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const file = join(directory, "it's.txt");
  await writeFile(file, '0123456789');
  const { origin } = await startTestServer((request, response) => {
    void text(request).then((body) => response.end(JSON.stringify({ ...request.headers, body })));
  });
  const command = curlPart({ url: `${origin}/a`, file, offset: 3, contentLength: 4 });
  const received = JSON.parse((await promisify(execFile)('sh', ['-c', command])).stdout);
  expect(received).toMatchObject({ body: '3456', 'content-length': '4' });
  expect(received).not.toHaveProperty('content-type');
  expect(received).not.toHaveProperty('transfer-encoding');
});
