/** Matches the codes of Node.js for a failed connection. */
const NETWORK_CODE = /^(?:E[A-Z0-9]{2,20}|ERR_[A-Z0-9_]{2,40}|CERT_[A-Z_]{2,40}|[A-Z_]{2,40}_CERT[A-Z_]*)$/;

/**
 * Matches an error code of Alibaba Cloud: words separated by dots. Access keys and tokens contain
 * digits or are longer.
 */
const STS_CODE = /"Code"\s*:\s*"([A-Z][A-Za-z]{1,40}(?:\.[A-Za-z]{1,40}){0,3})"/;

/** Matches the status of a response in the messages of the library. */
const STATUS = /(?:httpStatus: |failed with |failed: [A-Z]+ \S+ )([1-5]\d\d)\b/;

/**
 * The reason why a source returned no credentials. The message is short and safe to show. The
 * library's own messages are not: they contain the whole response of the server.
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

/** Converts an error of the library into one that is safe to show. */
export function toSourceFailure(error: unknown): SourceFailure {
  const { name, message, code } = error as NodeJS.ErrnoException;
  if (name.startsWith('RequestTimeout')) return new SourceFailure('no response in time', false);
  if (code !== undefined && NETWORK_CODE.test(code)) return new SourceFailure(`failed with ${code}`, false);
  const stsCode = STS_CODE.exec(message)?.[1];
  if (stsCode) return new SourceFailure(`rejected with ${stsCode}`, true);
  const status = STATUS.exec(message)?.[1];
  if (status) return new SourceFailure(`HTTP ${status}`, true);
  if (/unmarshal|parse/.test(message)) return new SourceFailure('the response cannot be parsed', true);
  return new SourceFailure('the response contains no credentials', true);
}
