import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, inject } from 'vitest';
import type { ProgramName, SdkName } from './build-programs.ts';

export type SdkCredentials = {
  readonly accessKeyId: string;
  readonly accessKeySecret: string;
  readonly securityToken?: string;
};

/** A request that an SDK's signer signs at a given moment. */
export type SignJob = {
  readonly job: 'sign';
  readonly form: 'query' | 'header';
  readonly method: string;
  readonly region: string;
  readonly product: string;
  readonly bucket: string;
  /** null: the bucket itself. */
  readonly key: string | null;
  readonly credentials: SdkCredentials;
  readonly headers: Readonly<Record<string, string>>;
  /** null: a name without a value. */
  readonly query: Readonly<Record<string, string | null>>;
  readonly additionalHeaders: readonly string[];
  /** ISO 8601, UTC, in whole seconds. */
  readonly signedAt: string;
  /** Of the query form; the header form has no expiry. */
  readonly expiresInSeconds: number;
};

/** The policy of a form upload to sign. Of the four only ali-oss has a function for it. */
export type PolicyJob = Pick<SignJob, 'region' | 'bucket' | 'credentials' | 'signedAt'> & {
  readonly job: 'sign-policy';
  /** The JSON text. */
  readonly policy: string;
};

export type Job = SignJob | PolicyJob | ObjectJob | ListJob | FileJob;

/** A request that an SDK's client sends in path style, with its own header signature, at the machine's time. */
export type ObjectJob = {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: SdkCredentials;
  readonly bucket: string;
  readonly key: string;
  /** How often the client may try in all. */
  readonly attempts: number;
} & ( // `exists` is the existence check of the SDK. `ali-oss` has none, so there it is getObjectMeta.
  | { readonly job: 'get' | 'head' | 'delete' | 'exists' }
  | {
      readonly job: 'put';
      /** Base64. */
      readonly body: string;
      readonly contentType: string;
      readonly metadata: Readonly<Record<string, string>>;
      /** An upload callback (Base64), and where the SDK sends it. */
      readonly callback?: { readonly place: 'header' | 'query'; readonly value: string };
    }
);

/** A listing, to be done page by page with the paginator of the SDK. */
export type ListJob = Omit<ObjectJob, 'key' | 'job'> & {
  readonly job: 'list';
  /** 1 for ListObjects, 2 for ListObjectsV2. */
  readonly version: 1 | 2;
  readonly prefix: string;
  readonly delimiter: string;
  readonly pageSize: number;
};

/** The state of an upload of `ali-oss`, as a program would keep it in a file. */
export type Checkpoint = { readonly doneParts: readonly { readonly number: number }[] };

/** A file to send or to write with the uploader or the downloader of the SDK, with its defaults. */
export type FileJob = Omit<ObjectJob, 'job'> & {
  readonly job: 'upload-file' | 'download-file';
  /** Its path. */
  readonly file: string;
  /** For `ali-oss` only: after so many parts the upload is cancelled. */
  readonly interruptAfterParts?: number;
  /** For `ali-oss` only: the upload to resume. */
  readonly checkpoint?: Checkpoint;
};

/** The SDK itself rejects the job. */
export type Fault = { readonly fault: string };
export type Signed = { readonly signature: string };
/** The SDK's result; null if it has no such field or no value for it. */
export type Done = {
  readonly status: number;
  readonly etag: string | null;
  readonly contentType: string | null;
  readonly metadata: Readonly<Record<string, string>> | null;
  /** Base64. */
  readonly body: string | null;
};
export type Existence = { readonly exists: boolean };
/** All pages together. */
export type Listed = {
  readonly objects: readonly {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    readonly type: string;
    readonly storageClass: string;
  }[];
  readonly prefixes: readonly string[];
};
/** `etag` and `crc64` are those of the object after an upload, and null after a download. */
export type Transferred = { readonly etag: string | null; readonly crc64: string | null };
/** Of an upload that was cancelled. */
export type Interrupted = { readonly checkpoint: Checkpoint };
/** OSS's error as the SDK reports it. */
export type Rejected = {
  readonly error: { readonly status: number; readonly code: string; readonly ec: string };
};

export type SdkProgram = {
  sign(job: SignJob | PolicyJob): Promise<Signed | Fault>;
  perform(job: ObjectJob): Promise<Done | Existence | Rejected | Fault>;
  list(job: ListJob): Promise<Listed | Rejected | Fault>;
  transfer(job: FileJob): Promise<Transferred | Interrupted | Rejected | Fault>;
};

/**
 * The program of one SDK, for the tests of the surrounding `describe`. It reads one
 * job per line and writes one result per line, in the same order, so it starts once for hundreds of jobs.
 */
export function useSdkProgram(sdk: SdkName): SdkProgram {
  let program: ReturnType<typeof startProgram>;
  beforeAll(() => {
    program = startProgram(sdk);
  });
  afterAll(() => program.stop());
  return {
    sign: async (job) => (await program.ask(job)) as Signed | Fault,
    perform: async (job) => (await program.ask(job)) as Done | Existence | Rejected | Fault,
    list: async (job) => (await program.ask(job)) as Listed | Rejected | Fault,
    transfer: async (job) => (await program.ask(job)) as Transferred | Interrupted | Rejected | Fault,
  };
}

/** Starts a program that reads one job per line and writes one result per line, in the same order. */
export function startProgram(name: ProgramName) {
  const [command, ...args] = inject('programs')[name];
  const child = spawn(command, args);
  const closed = once(child, 'close');
  const waiting: PromiseWithResolvers<unknown>[] = [];
  let complaints = '';
  let end: Error | undefined;
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk;
  });
  // If the program has ended, its `close` event reports why.
  child.stdin.on('error', () => {});
  child.on('close', (code) => {
    end = new Error(`The program ${name} ended with ${code}:\n${complaints}`);
    for (const { reject } of waiting.splice(0)) reject(end);
  });
  createInterface({ input: child.stdout }).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  return {
    async ask(job: object): Promise<unknown> {
      if (end) throw end;
      const result = Promise.withResolvers<unknown>();
      waiting.push(result);
      child.stdin.write(`${JSON.stringify(job)}\n`);
      return await result.promise;
    },
    async stop(): Promise<void> {
      child.stdin.end();
      await closed;
    },
  };
}
