import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { type Cores, pinned } from '../processes/cores.ts';
import { runJson } from '../processes/run-json.ts';
import { signingInput } from '../signing/signing-input.ts';

/** Microseconds of CPU time per signature; `go` only if the Go peer was built. */
export type SigningSample = {
  readonly ours: number;
  readonly oursOfMuch: number;
  /** Of one request for 1,000 downloads. */
  readonly downloadList: number;
  /** Of one upload: the decision, the count, the signature and the upload id. */
  readonly grant: number;
  /** Of one request for 100 uploads. */
  readonly uploadBatch: number;
  readonly aliOss: number;
  readonly aws: number;
  readonly go?: number;
};

const MILLISECONDS = 300;

/**
 * Measures one round of signing alone on the servers' core: the signers for Node in one process,
 * the one for Go in another.
 */
export async function measureSigning(
  cores: Cores,
  folder: string,
  goPeer: string | undefined,
): Promise<SigningSample> {
  const input = JSON.stringify(signingInput(MILLISECONDS));
  const main = join(import.meta.dirname, '../signing/main.ts');
  const onNode = await runJson<SigningSample>(pinned(cores, 'server', [process.execPath, main, input]));
  if (!goPeer) return onNode;
  const inputFile = join(folder, 'signing-input.json');
  writeFileSync(inputFile, input);
  const command = ['env', 'GOMAXPROCS=1', goPeer, 'sign', inputFile];
  return { ...onNode, go: await runJson<number>(pinned(cores, 'server', command)) };
}
