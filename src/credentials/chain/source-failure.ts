/** The codes of Node.js for a failed connection. */
const NETWORK_CODE = /^(?:E[A-Z0-9]{2,20}|ERR_[A-Z0-9_]{2,40}|CERT_[A-Z_]{2,40}|[A-Z_]{2,40}_CERT[A-Z_]*)$/;

/** A code as Alibaba Cloud writes them: words with dots between. Keys and tokens have digits, or are longer. */
const STS_CODE = /"Code"\s*:\s*"([A-Z][A-Za-z]{1,40}(?:\.[A-Za-z]{1,40}){0,3})"/;

/** How the library writes the status of a response. */
const STATUS = /(?:httpStatus: |failed with |failed: [A-Z]+ \S+ )([1-5]\d\d)\b/;

/**
 * Why a source gave no credentials. The message is short and may be shown to anybody; the library's own messages may not:
 * they hold the whole answer of the server, with whatever is in it.
 */
export class SourceFailure extends Error {
  override readonly name = 'SourceFailure';
  /** Whether a server responded. */
  readonly hasResponse: boolean;

  constructor(reason: string, hasResponse: boolean) {
    super(reason);
    this.hasResponse = hasResponse;
  }
}

/** Converts an error of the library into one that may be shown. */
export function toSourceFailure(error: unknown): SourceFailure {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name.startsWith('RequestTimeout')) return new SourceFailure('no answer in time', false);
  if (code !== undefined && NETWORK_CODE.test(code)) return new SourceFailure(`failed with ${code}`, false);
  const stsCode = STS_CODE.exec(message)?.[1];
  if (stsCode) return new SourceFailure(`refused with ${stsCode}`, true);
  const status = STATUS.exec(message)?.[1];
  if (status) return new SourceFailure(`HTTP ${status}`, true);
  if (/unmarshal|parse/.test(message)) return new SourceFailure('the answer is not understood', true);
  return new SourceFailure('the answer holds no credentials', true);
}
