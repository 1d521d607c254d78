import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallbackCaller } from '../callbacks/callback-caller.ts';
import type { MultipartUploads } from '../multipart/multipart-uploads.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import type { EmulatorCredentials, EmulatorEvent } from '../options.ts';
import type { WireRequest } from '../signature/signature-v4.ts';

/** One request for a bucket. */
export type BucketRequest = {
  readonly store: ObjectStore;
  readonly uploads: MultipartUploads;
  readonly callbacks: CallbackCaller;
  readonly clock: () => Date;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The client sends its body only after `100 Continue`. */
  readonly awaitsContinue: boolean;
  /** The report about the request. An operation sets its `bytes`. */
  readonly event: EmulatorEvent;
  readonly bucket: string;
  /** That of the bucket. */
  readonly region: string;
  readonly isVersioned: boolean;
  readonly credentials: readonly EmulatorCredentials[];
  readonly wire: WireRequest;
};

/** One verified request for an object. */
export type ObjectRequest = BucketRequest & {
  readonly key: string;
  /** Without a signature. Only a read can be. */
  readonly isAnonymous: boolean;
};

/** Sends the response, or throws an OssError before it has sent anything. */
export type ObjectOperation = (request: ObjectRequest) => Promise<void>;

/** Likewise, for a bucket. */
export type BucketOperation = (request: BucketRequest) => Promise<void>;
