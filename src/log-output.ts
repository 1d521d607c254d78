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

/**
 * The process's standard output, for `createLogger`: written many lines at a time and beside the work, at most 100 ms late. What
 * waits is written when the process ends by itself, by `process.exit` or by an uncaught error, not when it is killed.
 *
 * A line becomes bytes at once, while it is in the processor's caches. Pino's own output adds lines up as text, of which each
 * write counts the bytes anew.
 */
export function createLogOutput(): DestinationStream {
  const output = pino.destination({
    dest: 1,
    sync: false,
    contentMode: 'buffer',
    maxLength: MAX_WAITING_BYTES,
  }) as unknown as { write(bytes: Buffer): void };
  let block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  let used = 0;

  function handOver(): void {
    if (used === 0) return;
    output.write(block.subarray(0, used));
    block = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    used = 0;
  }

  setInterval(handOver, WRITE_INTERVAL_MS).unref();
  // Before pino's own listener, which writes what the output was given.
  process.prependListener('beforeExit', handOver);
  process.prependListener('exit', handOver);

  return {
    write(line) {
      if (line.length * MAX_BYTES_PER_UNIT > BLOCK_BYTES - used) handOver();
      if (line.length * MAX_BYTES_PER_UNIT > BLOCK_BYTES) {
        output.write(Buffer.from(line));
        return;
      }
      used += block.write(line, used);
      if (used >= MIN_WRITE_BYTES) handOver();
    },
  };
}
