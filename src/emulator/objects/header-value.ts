import { OssError } from '../oss-error.ts';

/**
 * The text as the value of a header: its UTF-8 bytes, one per character (Latin-1).
 * @throws OssError `InvalidArgument` with that name if it has control characters.
 */
export function toHeaderValue(name: string, text: string): string {
  const bytes = Buffer.from(text).toString('latin1');
  if (/[^\t\x20-\x7e\x80-\xff]/.test(bytes)) {
    throw new OssError('invalidArgument', { ArgumentName: name, ArgumentValue: text });
  }
  return bytes;
}
