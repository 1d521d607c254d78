import process from 'node:process';
import { downloadListSigner } from './download-list.ts';
import { microsecondsPerCall } from './microseconds-per-call.ts';
import { aliOssSigner, awsSigner, ourSigner, ourSignerOfMuch } from './signers.ts';
import type { SigningInput } from './signing-input.ts';
import { uploadBatchSigners } from './upload-batch.ts';

// One round of all signers for Node, in a separate process.
const input = JSON.parse(process.argv[2] ?? '') as SigningInput;
const { grant, batch } = await uploadBatchSigners(input);
const signers = {
  ours: ourSigner(input),
  oursOfMuch: ourSignerOfMuch(input),
  downloadList: downloadListSigner(input),
  grant,
  uploadBatch: batch,
  aliOss: aliOssSigner(input),
  aws: awsSigner(input),
};
const microseconds: Record<string, number> = {};
for (const [name, sign] of Object.entries(signers)) {
  await microsecondsPerCall(sign, input.milliseconds / 2);
  microseconds[name] = await microsecondsPerCall(sign, input.milliseconds);
}
process.stdout.write(`${JSON.stringify(microseconds)}\n`);
