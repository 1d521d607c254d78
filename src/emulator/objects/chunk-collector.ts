import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const COLLECT_AFTER_BYTES = 8 * 1024 ** 2;

/**
 * Keeps the memory of a long transfer flat. Node puts each chunk of a body into 64 KiB outside the
 * heap. V8 sees only the small objects that refer to them, so 100 MiB of chunks can pile up before
 * it collects garbage. Collecting the young generation after every 8 MiB takes about 1 ms.
 * @returns a function that takes the number of bytes that have been written or read.
 */
export function createChunkCollector(): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  let writtenBytes = 0;
  return (bytes) => {
    writtenBytes += bytes;
    if (writtenBytes < COLLECT_AFTER_BYTES) return;
    writtenBytes = 0;
    collect({ type: 'minor' });
  };
}
