import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll } from 'vitest';
import { describeReceiver, writeReceiver } from '../support/notification-receiver.ts';
import type { Command } from './clients.ts';

const KILL_IN_PYTHON = (point: string) =>
  `os.environ.get("KILL_AT") == "${point}" and os.kill(os.getpid(), 9)`;
const KILL_IN_GO = (point: string) =>
  `if own, _ := os.FindProcess(os.Getpid()); os.Getenv("KILL_AT") == "${point}" { own.Kill(); select {} }`;

let folder = '';

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'oss-presign-backend-'));
  cpSync(new URL('backend/', import.meta.url), folder, { recursive: true });
  const statement = 'db.execute("INSERT INTO files VALUES (?, ?, ?, ?)", file)';
  const python = [
    { text: statement, becomes: `${statement}; ${KILL_IN_PYTHON('commit')}` },
    {
      text: 'self.send_response(self.receive())',
      becomes: `status = self.receive(); ${KILL_IN_PYTHON('response')}; self.send_response(status)`,
    },
  ];
  const go = [
    { text: 'return tx.Commit()', becomes: `${KILL_IN_GO('commit')}; return tx.Commit()` },
    {
      text: 'w.WriteHeader(receive(db, webhook, w, r))',
      becomes: `status := receive(db, webhook, w, r); ${KILL_IN_GO('response')}; w.WriteHeader(status)`,
    },
  ];
  const inPython = join(folder, 'python');
  const inGo = join(folder, 'go');
  writeReceiver({ name: 'Python', language: 'python', file: 'receiver.py', kills: python }, inPython);
  writeReceiver({ name: 'Go', language: 'go', file: 'receiver.go', kills: go }, inGo);
  await run(inPython, ['python3', '-m', 'venv', '.venv']);
  await run(inPython, [
    '.venv/bin/pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '-r',
    'requirements.txt',
  ]);
  await run(inGo, ['go', 'vet', '.']);
  await run(inGo, ['go', 'build', '-o', 'receiver', '.']);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

describeReceiver('Python', () => [
  join(folder, 'python/.venv/bin/python'),
  join(folder, 'python/receiver.py'),
]);
describeReceiver('Go', () => [join(folder, 'go/receiver')]);

async function run(cwd: string, [program, ...args]: Command): Promise<void> {
  await promisify(execFile)(program, args, { cwd });
}
