import { readFileSync } from 'node:fs';
import process from 'node:process';
import { subjectOf } from '../setup/tokens.ts';
import type { LoadJob } from './load-job.ts';
import { sendLoad } from './send-load.ts';
import { uploadRequest } from './upload-request.ts';

// The load generator: a separate process, so that it can run on another core.
const job = JSON.parse(process.argv[2] ?? '') as LoadJob;
const tokens = JSON.parse(readFileSync(job.tokensFile, 'utf8')) as readonly string[];
const requests = tokens
  .slice(job.callers.from, job.callers.to)
  .map((token, index) => uploadRequest(token, subjectOf(job.callers.from + index)));
process.stdout.write(`${JSON.stringify(await sendLoad(job, requests))}\n`);
