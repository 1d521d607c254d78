import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const COLLECT_AFTER_BYTES = 8 * 1024 ** 2;

/**
 * Keeps the memory of a long upload flat. Node puts each piece of a body into 64 KiB of its own outside the heap; V8 sees only
 * the small handles, and lets a hundred MiB of pieces pile up before it looks at them. A collection of the youngest objects after
 * every 8 MiB takes about a millisecond.
 * @returns tells the collector how many bytes have been dealt with.
 */
export function createPieceCollector(): (bytes: number) => void {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  let dealtWith = 0;
  return (bytes) => {
    dealtWith += bytes;
    if (dealtWith < COLLECT_AFTER_BYTES) return;
    dealtWith = 0;
    collect({ type: 'minor' });
  };
}
