import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/http/plugins/problem-json.ts';
import { codeBlocks, readDocument, root } from '../support/documents.ts';
import { describeReceiver, writeReceiver } from '../support/notification-receiver.ts';

const PAGE = 'docs/backend.md';
const KILL = (point: string) =>
  `if (process.env.KILL_AT === '${point}') process.kill(process.pid, 'SIGKILL');`;

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'oss-presign-backend-'));
  symlinkSync(new URL('node_modules', root).pathname, join(folder, 'node_modules'));
  const kills = [
    { text: "db.exec('COMMIT');", becomes: `${KILL('commit')} db.exec('COMMIT');` },
    { text: 'response.writeHead(', becomes: `${KILL('response')} response.writeHead(` },
  ];
  writeReceiver({ name: 'Node.js', language: 'js', file: 'receiver.mjs', kills }, folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

describeReceiver('Node.js', () => [process.execPath, join(folder, 'receiver.mjs')]);

it('the command of the page creates a secret of 32 bytes', () => {
  const [command = ''] = codeBlocks(PAGE, 'sh')[0]?.split('\n') ?? [];
  const secret = execFileSync('sh', ['-c', `${command}; printf %s "$NOTIFY_SECRET"`], { encoding: 'utf8' });
  expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
});

it('the first receiver fits on one screen', () => {
  expect(codeBlocks(PAGE, 'js')[0]?.split('\n').length).toBeLessThan(55);
});

it('names `notification_failed` with its status', () => {
  const named = [...readDocument(PAGE).matchAll(/(\d{3}) `notification_failed`/g)].map(([, status]) =>
    Number(status),
  );
  expect(named.length).toBeGreaterThan(3);
  for (const status of named) expect(status).toBe(PROBLEMS.notification_failed.status);
});
