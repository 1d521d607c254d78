import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { expect, it, onTestFinished, vi } from 'vitest';
import { createLogOutput, type LogOutput, type LogOutputOptions } from '../../src/log/output.ts';
import { fixedClock, now } from '../support/fixed-clock.ts';

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'oss-presign-log-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** A descriptor that is closed when the test ends, or before. */
function open(path: string, flags: number): { readonly fd: number; close(): void } {
  const fd = openSync(path, flags);
  let isOpen = true;
  const close = () => {
    if (isOpen) closeSync(fd);
    isOpen = false;
  };
  onTestFinished(close);
  return { fd, close };
}

function outputTo(
  fd: number,
  options: Partial<LogOutputOptions> = {},
): { readonly output: LogOutput; readonly reports: readonly string[] } {
  const reports: string[] = [];
  const output = createLogOutput({
    clock: fixedClock,
    report: (line) => reports.push(line),
    fd,
    probeIntervalMs: 50,
    ...options,
  });
  return { output, reports };
}

const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;

/** A pipe: its end for writing, and a function that reads what is in it. */
function pipe() {
  const path = join(folder(), 'pipe');
  execFileSync('mkfifo', [path]);
  const reader = open(path, O_RDONLY | O_NONBLOCK);
  // The output owns it from then on.
  const writer = openSync(path, O_WRONLY);
  const read = ({ fd } = reader) => {
    const bytes = Buffer.alloc(1 << 20);
    try {
      return bytes.toString('utf8', 0, readSync(fd, bytes));
    } catch {
      return '';
    }
  };
  return { path, reader, writer, read };
}

const lostLine = (lostLines: number, reason: string) =>
  `{"level":"error","time":"${now.toISOString()}","lostLines":${lostLines},"since":"${now.toISOString()}","reason":"${reason}","msg":"log lines were lost"}`;

it('drops and counts lines on a full disk, and reports it once', async () => {
  const { output, reports } = outputTo(open('/dev/full', O_WRONLY).fd);
  for (let n = 0; n < 3; n++) output.write(`line ${n}\n`);
  expect(await output.written()).toBe(false);
  expect(output.status()).toStrictEqual({ lostLines: 3, fault: 'ENOSPC' });
  for (let n = 0; n < 1000; n++) output.write(`line ${n}\n`);
  expect(await output.written()).toBe(false);
  // It is tried again meanwhile, which fails again.
  await vi.waitFor(() => expect(output.status()).toStrictEqual({ lostLines: 1003, fault: 'ENOSPC' }));
  expect(reports).toStrictEqual([
    `{"level":"error","time":"${now.toISOString()}","reason":"ENOSPC","msg":"log lines are being lost: standard output cannot be written"}\n`,
  ]);
  await output.end();
});

it('logs how many lines were lost, and since when, once lines can be written again', async () => {
  const { path, reader, writer, read } = pipe();
  const { output, reports } = outputTo(writer);
  output.write('first\n');
  expect(await output.written()).toBe(true);
  expect(read()).toBe('first\n');
  reader.close();
  output.write('lost 1\n');
  output.write('lost 2\n');
  expect(await output.written()).toBe(false);
  output.write('lost 3\n');
  expect(output.status()).toStrictEqual({ lostLines: 3, fault: 'EPIPE' });

  const next = open(path, O_RDONLY | O_NONBLOCK);
  await vi.waitFor(() => expect(output.status()).toStrictEqual({ lostLines: 3, fault: undefined }));
  output.write('after\n');
  expect(await output.written()).toBe(true);
  expect(read(next)).toBe(`${lostLine(3, 'EPIPE')}\nafter\n`);
  expect(reports).toHaveLength(1);
});

it('keeps unread lines up to its bound, and then drops and counts them', async () => {
  const { writer, read } = pipe();
  const { output, reports } = outputTo(writer, { maxWaitingBytes: 200_000 });
  const lines = Array.from({ length: 5000 }, (_, n) => `line ${n} ${'x'.repeat(90)}\n`);
  for (const line of lines) output.write(line);
  const { lostLines, fault } = output.status();
  expect(fault).toBe('blocked');
  expect(lostLines).toBeGreaterThan(1000);
  expect(reports).toHaveLength(1);
  expect(await output.written()).toBe(false);

  let all = '';
  await vi.waitFor(() => {
    all += read();
    expect(all).toMatch(/"msg":"log lines were lost"\}\n$/);
  });
  expect(all).toBe(`${lines.slice(0, 5000 - lostLines).join('')}${lostLine(lostLines, 'blocked')}\n`);
  output.write('after\n');
  expect(await output.written()).toBe(true);
  expect(read()).toBe('after\n');
  expect(output.status()).toStrictEqual({ lostLines, fault: undefined });
});

it('waits for a reader that pauses, and loses nothing', async () => {
  const { writer, read } = pipe();
  const { output, reports } = outputTo(writer);
  // Three times what the pipe holds, so the output has to wait for the reader more than once.
  const lines = Array.from({ length: 1_800 }, (_, n) => `line ${n} 上传 ${'x'.repeat(90)}\n`).join('');
  for (const line of lines.match(/.*\n/g) ?? []) output.write(line);
  const written = output.written();
  // Reads as soon as the output can write: it gives up after a second, however busy the machine is.
  let all = '';
  let isDone = false;
  void written.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    all += read();
    await setImmediate();
  }
  all += read();
  expect(all).toBe(lines);
  expect(await written).toBe(true);
  expect([output.status(), reports]).toStrictEqual([{ lostLines: 0, fault: undefined }, []]);
});

it('stops waiting for a reader that hangs after a second, and then resolves at once', async () => {
  const { writer } = pipe();
  const { output } = outputTo(writer);
  for (let n = 0; n < 2000; n++) output.write(`line ${n} ${'x'.repeat(90)}\n`);
  const startedAt = performance.now();
  expect(await output.written()).toBe(false);
  expect(performance.now() - startedAt).toBeGreaterThan(900);
  await vi.waitFor(() => expect(output.status().fault).toBe('blocked'));
  const again = performance.now();
  expect(await output.written()).toBe(false);
  await output.end();
  expect(performance.now() - again).toBeLessThan(500);
});

it('writes for many callers at once', async () => {
  const { writer, read } = pipe();
  const { output } = outputTo(writer);
  const written = Array.from({ length: 50 }, (_, n) => {
    output.write(`line ${n}\n`);
    return output.written();
  });
  expect(new Set(written).size).toBe(1);
  expect(read()).toBe('');
  expect(await Promise.all(written)).toStrictEqual(Array(50).fill(true));
  expect(read().split('\n')).toHaveLength(51);
});

it('begins a new line behind one that a full disk cut', async () => {
  // A limit of 2 KiB on the size of files stands for the disk.
  const path = join(folder(), 'log');
  const log = open(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND);
  const script = `
    import { createLogOutput } from ${JSON.stringify(new URL('../../src/log/output.ts', import.meta.url).href)};
    const output = createLogOutput({ clock: () => new Date(0), report: (line) => process.stderr.write(line), probeIntervalMs: 20 });
    let n = 0;
    setInterval(() => output.write(JSON.stringify({ n: n++, x: 'x'.repeat(50) }) + '\\n'), 1);`;
  const child = spawn(
    'sh',
    ['-c', 'trap "" XFSZ; ulimit -f 4; exec "$0" --input-type=module --eval "$1"', process.execPath, script],
    { stdio: ['ignore', log.fd, 'pipe'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  const stderr = child.stderr as Readable;
  let reported = '';
  stderr.on('data', (part) => {
    reported += part;
  });
  await once(stderr, 'data');
  const cut = readFileSync(path, 'utf8');
  expect(cut.endsWith('\n')).toBe(false);
  // Makes room, and the end of the file is within a line once more.
  truncateSync(path, 1000);
  await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('log lines were lost'));
  child.kill('SIGKILL');
  await once(child, 'close');
  expect(reported).toMatch(/^[^\n]*"reason":"EFBIG"[^\n]*\n$/);
  const lines = readFileSync(path, 'utf8').split('\n');
  const at = lines.findIndex((line) => line.includes('log lines were lost'));
  expect(JSON.parse(lines[at] ?? '')).toMatchObject({ reason: 'EFBIG', since: '1970-01-01T00:00:00.000Z' });
  // The line that was cut stands alone.
  expect(lines[at - 1]).toMatch(/^\{[^}]*$/);
  expect(lines.slice(0, at - 1).map((line) => JSON.parse(line).n)).toStrictEqual(
    Array.from({ length: at - 1 }, (_, n) => n),
  );
});

it.each(['blocked', 'ENOSPC'])(
  'reports how many lines were not written when the process ended: %s',
  async (reason) => {
    const script = `
      import { createLogOutput } from ${JSON.stringify(new URL('../../src/log/output.ts', import.meta.url).href)};
      const output = createLogOutput({ clock: () => new Date(0), report: (line) => process.stderr.write(line) });
      for (let n = 0; n < 3000; n++) output.write('x'.repeat(999) + '\\n');
      setImmediate(() => process.exit(0));`;
    const { writer, read } = pipe();
    const full = open('/dev/full', O_WRONLY);
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', reason === 'blocked' ? writer : full.fd, 'pipe'],
    });
    closeSync(writer);
    onTestFinished(() => void child.kill('SIGKILL'));
    let reported = '';
    (child.stderr as Readable).on('data', (part) => {
      reported += part;
    });
    await once(child, 'close');
    const written = read().split('\n').length - 1;
    expect(written > 0).toBe(reason === 'blocked');
    expect(JSON.parse(reported.trimEnd().split('\n').at(-1) ?? '')).toStrictEqual({
      level: 'error',
      time: '1970-01-01T00:00:00.000Z',
      lostLines: 3000 - written,
      reason,
      msg: 'log lines were lost: they could not be written before the process ended',
    });
  },
);
