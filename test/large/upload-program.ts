import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import process from 'node:process';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { contentCrc64, contentOf } from './content.ts';

// A client of large files, as a separate process that can be killed. Its first argument is its
// task as JSON. It prints each step that it has taken as a line of JSON.

export type Task = {
  readonly serviceUrl: string;
  readonly token: string;
  /** The body of `POST /v1/uploads`, or the id of an upload to resume: nothing else is left of it. */
  readonly upload: Readonly<Record<string, unknown>> | string;
  /** How many parts are sent at a time. */
  readonly concurrency: number;
  /** Waits forever when it has taken this step. */
  readonly stopAt?: string | undefined;
};

/** A step that the client has taken. */
export type Step = { readonly step: string; readonly [detail: string]: unknown };

type Part = {
  readonly partNumber: number;
  readonly offset: number;
  readonly contentLength: number;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};
type Range = { readonly from: number; readonly to: number };

const PARTS_PER_CALL = 100;
const ATTEMPTS = 3;

const task: Task = JSON.parse(process.argv[2] ?? '');
const agent = new Agent({ keepAlive: true });

async function take(step: string, details: Readonly<Record<string, unknown>> = {}): Promise<void> {
  process.stdout.write(`${JSON.stringify({ step, ...details })}\n`);
  if (step === task.stopAt) await new Promise((resolve) => setTimeout(resolve, 2 ** 30));
}

/** Calls the service. Repeats the call if the connection breaks, but accepts no error. */
async function call<Response>(path: string, body: unknown): Promise<Response> {
  const response = await repeatedly(path, async () =>
    fetch(`${task.serviceUrl}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${task.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  );
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text);
}

async function repeatedly<Result>(name: string, attempt: () => Promise<Result>): Promise<Result> {
  for (let failures = 1; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (failures === ATTEMPTS) throw error;
      await take('connection-lost', { during: name });
    }
  }
}

/** Sends a part. Resolves with an empty text, or with the error of the storage. */
async function send({ partNumber, offset, contentLength, method, url, headers }: Part): Promise<string> {
  const halves = async function* () {
    const half = Math.floor(contentLength / 2);
    yield* contentOf(offset, half);
    await take(`half-${partNumber}`);
    yield* contentOf(offset + half, contentLength - half);
  };
  const body = task.stopAt === `half-${partNumber}` ? halves() : contentOf(offset, contentLength);
  const sent = request(url, { agent, method, headers: { ...headers, 'content-length': contentLength } });
  const responded = once(sent, 'response');
  await Promise.all([pipeline(Readable.from(body), sent), responded]);
  const [response] = await responded;
  let text = '';
  for await (const chunk of response) text += chunk;
  return response.statusCode === 200 ? '' : `${response.statusCode} ${text}`;
}

async function begin(): Promise<{ id: string; contentLength: number; missing: readonly Range[] }> {
  if (typeof task.upload !== 'string') {
    type Grant = { id: string; contentLength: number; partCount: number };
    const { id, contentLength, partCount } = await call<Grant>('/v1/uploads', task.upload);
    await take('granted', { id });
    return { id, contentLength, missing: [{ from: 1, to: partCount }] };
  }
  type Status = { state: string; contentLength: number; missing?: readonly Range[] };
  const id = task.upload;
  const { state, contentLength, missing = [] } = await call<Status>('/v1/uploads/status', { id });
  await take('resumed', { state, missing });
  return { id, contentLength, missing: state === 'open' ? missing : [] };
}

const { id, contentLength, missing } = await begin();
const waiting = missing.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, n) => from + n));
let signed: Part[] = [];
while (waiting.length > 0) {
  const partNumbers = waiting.splice(0, PARTS_PER_CALL);
  ({ parts: signed } = await call<{ parts: Part[] }>('/v1/uploads/parts', { id, partNumbers }));
  await take('signed');
  const sendOneByOne = async () => {
    for (let part = signed.shift(); part; part = signed.shift()) {
      const { partNumber } = part;
      const fault = await repeatedly(`part-${partNumber}`, () => send(part));
      if (fault !== '') throw new Error(`part ${partNumber}: ${fault}`);
      await take(`part-${partNumber}`, { partNumber });
    }
  };
  await Promise.all(Array.from({ length: task.concurrency }, sendOneByOne));
}
agent.destroy();
await take('all-parts');
const completing = call<Record<string, unknown>>('/v1/uploads/complete', {
  id,
  crc64: contentCrc64(contentLength),
});
await take('completing');
await take('completed', { ...(await completing) });
const peakKib = /VmHWM:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
await take('ended', { peakMib: Number(peakKib) / 1024 });
