import { constants, fstatSync, openSync, write, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import process from 'node:process';
import type { Clock } from '../clock.ts';
import { systemErrorCode } from '../text/system-error.ts';

/**
 * About 80 lines of 400 bytes are written at once: a system call per line would cost as much as the
 * line itself.
 */
const MIN_WRITE_BYTES = 32_768;

/** Leaves room for the line that fills a block. */
const BLOCK_BYTES = 36_864;

/** One UTF-16 code unit takes at most this many bytes in UTF-8. */
const MAX_BYTES_PER_UNIT = 3;

/** How long a line waits for others at most, in milliseconds. */
const WRITE_INTERVAL_MS = 100;

/**
 * Upper bound for unwritten log data when stdout is blocked. Beyond it, lines are dropped so that
 * the process does not run out of memory.
 */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** The first and the longest pause before a full pipe is tried again, in milliseconds. */
const FIRST_RETRY_MS = 2;
const LAST_RETRY_MS = 50;

/** After a failure the output is tried again this often, in milliseconds. */
const PROBE_INTERVAL_MS = 1_000;

/**
 * The output counts as blocked when it has taken nothing for this long, in milliseconds.
 * `written()` waits as long.
 */
const MAX_STALL_MS = 1_000;

/**
 * Failures that follow each other within this time are reported on stderr once, in milliseconds.
 */
const SAME_EPISODE_MS = 10_000;

/** How long the end of the process waits for an output that takes nothing, in milliseconds. */
const EXIT_WAIT_MS = 500;

const LINE_FEED = 10;

export type LogOutputStatus = {
  /** Lines that were dropped since the process started. */
  readonly lostLines: number;
  /**
   * Why lines cannot be written now: a system error code, or `blocked` if nothing reads them;
   * undefined if they can.
   */
  readonly fault: string | undefined;
};

export type LogOutput = {
  /**
   * Takes one whole line with its line feed. Never throws and never waits: a line that cannot be
   * kept is dropped and counted.
   */
  write(line: string): void;
  /**
   * Resolves with true once the lines so far have been written, for all callers of one event-loop
   * turn with one write; with false if one of them was lost, or not written within a second.
   */
  written(): Promise<boolean>;
  status(): LogOutputStatus;
  /** Writes the remaining lines, for half a second at most. Never rejects. */
  end(): Promise<void>;
};

export type LogOutputOptions = {
  readonly clock: Clock;
  /**
   * Receives a line of JSON: once per episode when lines begin to be lost, and when the process
   * ends with the number of lines that were not written. Writes it to stderr, for example. Must not
   * throw.
   */
  readonly report: (line: string) => void;
  /** The file descriptor to write to; 1 by default. */
  readonly fd?: number;
  /** Default 64 MiB. */
  readonly maxWaitingBytes?: number;
  /** Default 1,000. */
  readonly probeIntervalMs?: number;
};

/** Callers of `written()` that wait for the same write. */
type Waiters = {
  readonly promise: Promise<boolean>;
  readonly resolve: (isWritten: boolean) => void;
  readonly giveUpAt: number;
  /** All bytes up to here have to be written. */
  position: number;
};

/** Lost lines that the log does not mention yet. */
type Losses = { readonly since: string; lines: number; reason: string };

/**
 * The process's standard output, for `createLogger`. Lines are written many at a time: at once
 * after a pause, otherwise within 100 ms. The remaining lines are written when the process exits by
 * itself, by `process.exit` or by an uncaught error, but not when it is killed.
 *
 * The process continues even if the output fails. If a write fails (a full disk, a closed pipe),
 * lines are dropped and counted, and a write is retried once a second. If no process reads the
 * output, lines are kept up to 64 MiB and then dropped. The first line after that states how many
 * were lost and since when.
 *
 * Not sonic-boom (pino's own output): its synchronous flush at exit repeats a failed write for
 * ever, and a blocking write to a pipe without a reader keeps the process from exiting.
 */
export function createLogOutput({
  clock,
  report,
  fd: given = 1,
  maxWaitingBytes = MAX_WAITING_BYTES,
  probeIntervalMs = PROBE_INTERVAL_MS,
}: LogOutputOptions): LogOutput {
  const { fd, mayBlock } = openOutput(given);
  let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let used = 0;
  /** Blocks to write; the first one is being written. */
  let queue: Buffer[] = [];
  let queuedBytes = 0;
  /**
   * Positions in the stream of all bytes: of the last one that was accepted, and of the last one
   * that was written.
   */
  let accepted = 0;
  let written = 0;
  /** Whether the output ends within a line, because a write failed halfway. */
  let isTorn = false;
  let isIdle = true;
  /** A write is under way on another thread. */
  let isWriting = false;
  let retryTimer: NodeJS.Timeout | undefined;
  let retryMs = FIRST_RETRY_MS;
  /** When the output stopped taking queued data. */
  let stalledSince: number | undefined;
  /**
   * The system error of an output that fails. Until a report of the losses could be written, all
   * lines are dropped.
   */
  let failure: string | undefined;
  let probeAt = 0;
  /** Whether lines are dropped because too much waits. */
  let isFull = false;
  let lostLines = 0;
  let losses: Losses | undefined;
  /** Where the report of the losses ends while it is queued, and how many lines it names. */
  let reportEnd: number | undefined;
  let reportedLines = 0;
  let lastFailureAt = Number.NEGATIVE_INFINITY;
  let open: Waiters | undefined;
  let waiting: Waiters[] = [];

  const now = () => performance.now();

  function pump(): void {
    if (isWriting || retryTimer) return;
    while (queue.length > 0) {
      const bytes = queue[0] as Buffer;
      stalledSince ??= now();
      if (mayBlock) {
        isWriting = true;
        write(fd, bytes, (error, count) => {
          isWriting = false;
          settle(error, count);
          pump();
        });
        return;
      }
      const { error, count } = tryWrite(fd, bytes);
      settle(error, count);
      if (retryTimer) return;
    }
  }

  function settle(error: NodeJS.ErrnoException | null, count: number): void {
    if (error) {
      if (isTemporary(error)) retryLater();
      else fail(systemErrorCode(error));
      return;
    }
    take(count);
  }

  /** Notes that the output has taken the next bytes. */
  function take(count: number): void {
    const bytes = queue[0] as Buffer;
    stalledSince = undefined;
    retryMs = FIRST_RETRY_MS;
    if (count > 0) isTorn = bytes[count - 1] !== LINE_FEED;
    written += count;
    queuedBytes -= count;
    if (count < bytes.length) queue[0] = bytes.subarray(count);
    else queue.shift();
    if (losses && reportEnd !== undefined && written >= reportEnd) settleReport(losses);
    if (isFull && queuedBytes <= maxWaitingBytes / 2) {
      isFull = false;
      reportLosses();
    }
    resolveWaiters();
  }

  function retryLater(): void {
    retryTimer = setTimeout(() => {
      retryTimer = undefined;
      pump();
    }, retryMs).unref();
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }

  function fail(code: string): void {
    let lines = 0;
    // An output that has failed before was given nothing but the report.
    if (failure === undefined) {
      for (const bytes of [...queue, block.subarray(0, used)]) lines += countLines(bytes);
      if (reportEnd !== undefined) lines -= 1;
    }
    queue = [];
    queuedBytes = 0;
    used = 0;
    accepted = written;
    isFull = false;
    stalledSince = undefined;
    failure = code;
    probeAt = now() + probeIntervalMs;
    lose(lines, code);
    reportEnd = undefined;
    for (const waiters of [...waiting, ...(open ? [open] : [])]) waiters.resolve(false);
    waiting = [];
    open = undefined;
  }

  function lose(lines: number, reason: string): void {
    if (losses) losses.reason = reason;
    else {
      losses = { since: clock().toISOString(), lines: 0, reason };
      if (now() - lastFailureAt > SAME_EPISODE_MS)
        report(
          `{"level":"error","time":"${losses.since}","reason":"${reason}","msg":"log lines are being lost: standard output cannot be written"}\n`,
        );
    }
    lastFailureAt = now();
    losses.lines += lines;
    lostLines += lines;
  }

  /** Queues a line with the number of lost lines, unless one is queued already. */
  function reportLosses(): void {
    if (!losses || reportEnd !== undefined) return;
    const { since, lines, reason } = losses;
    const line = `{"level":"error","time":"${clock().toISOString()}","lostLines":${lines},"since":"${since}","reason":"${reason}","msg":"log lines were lost"}\n`;
    enqueue(Buffer.from(failure !== undefined && isTorn ? `\n${line}` : line));
    reportEnd = accepted;
    reportedLines = lines;
  }

  /** The report has been written. Lines that were dropped meanwhile get another one. */
  function settleReport({ lines, reason }: Losses): void {
    failure = undefined;
    reportEnd = undefined;
    losses =
      lines > reportedLines
        ? { since: clock().toISOString(), lines: lines - reportedLines, reason }
        : undefined;
    if (!isFull) reportLosses();
  }

  function enqueue(bytes: Buffer): void {
    queue.push(bytes);
    queuedBytes += bytes.length;
    accepted += bytes.length;
  }

  function handOver(): void {
    if (used === 0) return;
    accepted -= used;
    enqueue(block.subarray(0, used));
    used = 0;
    pump();
    // The block is free again if it was written at once.
    if (queue.length > 0) block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  function flush(): void {
    handOver();
    pump();
  }

  function resolveWaiters(): void {
    while (waiting[0] && waiting[0].position <= written) waiting.shift()?.resolve(true);
  }

  function isStalled(): boolean {
    return stalledSince !== undefined && now() - stalledSince > MAX_STALL_MS;
  }

  function waitForWrite(waitMs: number): Promise<boolean> {
    if (!open) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      open = { promise, resolve, giveUpAt: now() + waitMs, position: Number.POSITIVE_INFINITY };
      setImmediate(() => {
        if (!open) return;
        const waiters = open;
        open = undefined;
        waiters.position = accepted;
        waiting.push(waiters);
        flush();
        resolveWaiters();
      });
    }
    return open.promise;
  }

  function onInterval(): void {
    isIdle = used === 0;
    if (failure !== undefined && !isWriting && queue.length === 0 && now() >= probeAt) reportLosses();
    flush();
    while (waiting[0] && waiting[0].giveUpAt <= now()) waiting.shift()?.resolve(false);
  }

  /** Writes the remaining lines without returning to the event loop. */
  function writeNow(): void {
    // A write on the other thread may still run: wait briefly, and skip its data so that it is not
    // written twice.
    if (isWriting) {
      sleep(EXIT_WAIT_MS / 10);
      queue.shift();
    }
    if (used > 0) {
      accepted -= used;
      enqueue(block.subarray(0, used));
      used = 0;
    }
    let giveUpAt = now() + (isStalled() ? 0 : EXIT_WAIT_MS);
    let reason = failure ?? 'blocked';
    while (queue.length > 0 && failure === undefined) {
      const { error, count } = tryWrite(fd, queue[0] as Buffer);
      if (!error) {
        take(count);
        giveUpAt = now() + EXIT_WAIT_MS;
        continue;
      }
      if (!isTemporary(error)) reason = systemErrorCode(error);
      if (!isTemporary(error) || now() >= giveUpAt) break;
      sleep(FIRST_RETRY_MS);
    }
    reportUnwritten(reason);
  }

  /** Reports the lost lines, because the log can no longer be written. */
  function reportUnwritten(reason: string): void {
    let lines = losses?.lines ?? 0;
    for (const bytes of queue) lines += countLines(bytes);
    if (reportEnd !== undefined) lines -= 1;
    if (lines === 0) return;
    report(
      `{"level":"error","time":"${clock().toISOString()}","lostLines":${lines},"reason":"${losses?.reason ?? reason}","msg":"log lines were lost: they could not be written before the process ended"}\n`,
    );
  }

  const interval = setInterval(onInterval, WRITE_INTERVAL_MS).unref();
  process.on('beforeExit', flush);
  process.on('exit', writeNow);

  return {
    write(line) {
      if (failure !== undefined || isFull) {
        lose(1, failure ?? 'blocked');
        return;
      }
      const mostBytes = line.length * MAX_BYTES_PER_UNIT;
      if (queuedBytes + used + mostBytes > maxWaitingBytes) {
        isFull = true;
        lose(1, 'blocked');
        return;
      }
      // After an idle period, flush at once so that the first lines are not delayed.
      if (isIdle) setImmediate(flush);
      isIdle = false;
      if (mostBytes > BLOCK_BYTES - used) handOver();
      if (mostBytes > BLOCK_BYTES) {
        enqueue(Buffer.from(line));
        pump();
        return;
      }
      const bytes = block.write(line, used);
      used += bytes;
      accepted += bytes;
      if (used >= MIN_WRITE_BYTES) handOver();
    },
    written() {
      return failure !== undefined || isFull || isStalled() ? NOT_WRITTEN : waitForWrite(MAX_STALL_MS);
    },
    status() {
      return { lostLines, fault: failure ?? (isFull || isStalled() ? 'blocked' : undefined) };
    },
    async end() {
      clearInterval(interval);
      if (failure !== undefined) reportLosses();
      const { promise: timeout, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(resolve, isStalled() ? 0 : EXIT_WAIT_MS, false);
      await Promise.race([waitForWrite(EXIT_WAIT_MS), timeout]);
      clearTimeout(timer);
    },
  };
}

const NOT_WRITTEN = Promise.resolve(false);

/**
 * Prepares a descriptor for writing. Files are written on another thread, because a disk may be
 * slow. Everything else is written at once and without blocking, because a thread that hangs in a
 * write would keep the process from exiting.
 */
function openOutput(fd: number): { readonly fd: number; readonly mayBlock: boolean } {
  try {
    const stats = fstatSync(fd);
    if (stats.isFIFO() || stats.isSocket()) {
      // Makes the descriptor non-blocking, for which Node has no other function. Nothing is written
      // through it.
      new Socket({ fd, readable: false, writable: true }).on('error', () => {});
      return { fd, mayBlock: false };
    }
    // A terminal is shared with other processes, whose open file description must not change, so it
    // is opened again.
    if (stats.isCharacterDevice()) {
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      return { fd: openSync(`/proc/self/fd/${fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY), mayBlock: false };
    }
  } catch {
    // The output cannot be opened this way, e.g. not on Linux.
  }
  return { fd, mayBlock: true };
}

function tryWrite(
  fd: number,
  bytes: Buffer,
): { readonly error: NodeJS.ErrnoException | null; readonly count: number } {
  try {
    return { error: null, count: writeSync(fd, bytes) };
  } catch (error) {
    return { error: error as NodeJS.ErrnoException, count: 0 };
  }
}

function isTemporary({ code }: NodeJS.ErrnoException): boolean {
  return code === 'EAGAIN' || code === 'EWOULDBLOCK' || code === 'EBUSY' || code === 'EINTR';
}

function countLines(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines++;
  return lines;
}

function sleep(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
