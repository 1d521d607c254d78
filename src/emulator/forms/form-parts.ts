import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { Dicer } from '@fastify/busboy';
import { parse } from 'content-disposition';
import { OssError } from '../oss-error.ts';

/** One part of a form: a field, or a file. */
export type FormPart = {
  readonly name: string;
  /** Undefined in a plain field. */
  readonly filename: string | undefined;
  /** As the client sent it. */
  readonly contentType: string | undefined;
  /** Has to be read before the next part. */
  readonly content: AsyncIterable<Uint8Array>;
};

/**
 * Reads the parts of a `multipart/form-data` body (RFC 7578) while it arrives, in order. At most
 * one chunk of the body is in memory. To stop early, call `return` of the generator: the rest of
 * the body is then unread.
 * @throws OssError `MalformedPOSTRequest` for a part without a name, and for a body that ends
 *   before the closing boundary; Error if the client disconnects.
 */
export async function* readFormParts(request: IncomingMessage, boundary: string): AsyncGenerator<FormPart> {
  const dicer = new Dicer({ boundary });
  const received: FormPart[] = [];
  const progress = createProgress();
  let lastPart: Readable | undefined;
  let withoutHeader = 0;

  dicer.on('part', (stream) => {
    lastPart = stream;
    withoutHeader += 1;
    // The generator reports it, also if no one reads this part.
    stream.on('error', () => undefined);
    // Dicer waits for a read when a part is full, but Node.js never reads a part that has ended.
    stream.on('end', () => stream._read(0));
    stream.on('header', (header) => {
      withoutHeader -= 1;
      const part = describePart(header as PartHeader, progress.guard(stream));
      if (part === null) progress.fail(new OssError('formMalformed'));
      else received.push(part);
      progress.notify();
    });
  });
  dicer.on('error', () => {
    progress.fail(new OssError('formCutOff'));
    lastPart?.destroy();
  });
  // Follows the event `error`, which reports a body without a closing boundary.
  dicer.on('close', () => {
    if (withoutHeader > 0) progress.fail(new OssError('formMalformed'));
    progress.end();
  });
  const onClose = () => {
    if (request.complete) return;
    progress.fail(new Error('The client disconnected.'));
    lastPart?.destroy();
  };
  // Not pipe(), which stops at the first event `finish`. Dicer sends it before the body has ended.
  const onData = (chunk: Buffer) => {
    if (!dicer.write(chunk)) request.pause();
  };
  const onEnd = () => dicer.end();
  dicer.on('drain', () => request.resume());
  request.on('data', onData).on('end', onEnd).on('close', onClose);
  try {
    while (true) {
      const part = received.shift();
      if (part) yield part;
      else if (await progress.hasEnded()) return;
    }
  } finally {
    request.off('data', onData).off('end', onEnd).off('close', onClose).pause();
    dicer.removeAllListeners('drain').destroy();
  }
}

/** The state of the parser, as its reader sees it. */
function createProgress() {
  let failure: Error | undefined;
  let isEnded = false;
  let wake = () => {};
  const notify = () => wake();
  return {
    notify,
    fail: (error: Error) => {
      failure ??= error;
      notify();
    },
    end: () => {
      isEnded = true;
      notify();
    },
    /** Waits for the next event, if the end has not come. Throws the failure, if there is one. */
    hasEnded: async (): Promise<boolean> => {
      if (!failure && !isEnded) {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        await promise;
      }
      if (failure) throw failure;
      return isEnded;
    },
    /** The bytes of a part. Ends with the failure of the form instead of that of the stream. */
    guard: async function* (stream: Readable): AsyncGenerator<Uint8Array> {
      try {
        yield* stream;
      } catch (error) {
        throw failure ?? error;
      }
    },
  };
}

/** Names in lower case; values as Latin-1, so that each character is one byte. */
type PartHeader = Readonly<Record<string, readonly string[] | undefined>>;

function describePart(header: PartHeader, content: AsyncIterable<Uint8Array>): FormPart | null {
  const [disposition = ''] = header['content-disposition'] ?? [];
  const text = Buffer.from(disposition, 'latin1').toString();
  const { type, parameters } = parse(text, { multipart: true, extended: false });
  const { name, filename } = parameters;
  if (type !== 'form-data' || name === undefined) return null;
  return { name, filename, contentType: header['content-type']?.[0], content };
}
