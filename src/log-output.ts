import process from 'node:process';
import { type DestinationStream, pino } from 'pino';

/** Some 80 lines of about 400 bytes are written at once. Each write wakes another thread, which costs as much as several lines. */
const MIN_WRITE_BYTES = 32_768;

/** With room for the line that makes a block full. */
const BLOCK_BYTES = 36_864;

/** UTF-8 of one UTF-16 code unit takes no more. */
const MAX_BYTES_PER_UNIT = 3;

/** How long a line waits for others at most, in milliseconds. */
const WRITE_INTERVAL_MS = 100;

/** What may wait for a reader of the log that hangs; beyond it lines are dropped, for else the process would die of them. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;

/** What an end waits for a write that is under way, in milliseconds: a thousand times what one takes while somebody reads. */
const EXIT_WAIT_MS = 50;

type BlockWriter = {
  write(bytes: Buffer): void;
  flush(): void;
  on(event: 'drain', listener: () => void): void;
};

/**
 * The process's standard output, for `createLogger`: written many lines at a time and beside the work, at once after a time
 * without any and else some 100 ms late at most. What waits is written when the process ends by itself, by `process.exit` or by an
 * uncaught error, not when it is killed.
 *
 * A line becomes bytes at once, while it is in the processor's caches. Pino's own output adds lines up as text, of which each
 * write counts the bytes anew.
 */
export function createLogOutput(): DestinationStream {
  const output = pino.destination({
    dest: 1,
    sync: false,
    contentMode: 'buffer',
    minLength: MIN_WRITE_BYTES,
    maxWrite: 2 * BLOCK_BYTES,
    maxLength: MAX_WAITING_BYTES,
  }) as unknown as BlockWriter;
  let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let used = 0;
  let isIdle = true;
  let isWriting = false;

  function give(bytes: Buffer): void {
    isWriting = true;
    output.write(bytes);
  }

  function handOver(): void {
    if (used === 0) return;
    give(block.subarray(0, used));
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    used = 0;
  }

  function flush(): void {
    handOver();
    isWriting = true;
    output.flush();
  }

  output.on('drain', () => {
    isWriting = false;
  });
  setInterval(() => {
    isIdle = used === 0;
    flush();
  }, WRITE_INTERVAL_MS).unref();
  // Before pino's own listeners, which write what the output was given.
  process.prependListener('beforeExit', handOver);
  process.prependListener('exit', () => {
    // Another thread has it, which would be cut off, or be overtaken by what is written now.
    if (isWriting) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, EXIT_WAIT_MS);
    handOver();
  });

  return {
    write(line) {
      // Who has not written for a while may not write again so soon: nobody is to wait for the first lines of a start.
      if (isIdle) setImmediate(flush);
      isIdle = false;
      const mostBytes = line.length * MAX_BYTES_PER_UNIT;
      if (mostBytes > BLOCK_BYTES - used) handOver();
      if (mostBytes > BLOCK_BYTES) {
        give(Buffer.from(line));
        return;
      }
      used += block.write(line, used);
      if (used >= MIN_WRITE_BYTES) handOver();
    },
  };
}
