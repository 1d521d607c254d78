import { OssError } from '../oss-error.ts';
import type { FormPart } from './form-parts.ts';

const MAX_NAME_BYTES = 8 * 1024;
const MAX_VALUE_BYTES = 2 * 1024 ** 2;
/** OSS's limit of the values. Names count too, so that no number of fields takes more memory. */
export const MAX_FIELDS_BYTES = 8 * 1024 ** 2;

/** The fields before the file, by {@link fieldName}. */
export type FormFields = ReadonlyMap<string, string>;

/**
 * Reads the fields of a form up to its file (OSS help: "PostObject").
 * @throws OssError `FieldItemTooLong` beyond OSS's limits, `MalformedPOSTRequest` if there is no
 *   file or a file has another name, `InvalidArgument` for a field that is there twice or is not
 *   UTF-8.
 */
export async function readFormFields(
  parts: AsyncGenerator<FormPart>,
): Promise<{ readonly fields: FormFields; readonly file: FormPart }> {
  const fields = new Map<string, string>();
  let allBytes = 0;
  while (true) {
    const { value: part, done } = await parts.next();
    if (done) throw new OssError('formCutOff');
    const nameBytes = Buffer.byteLength(part.name);
    if (nameBytes > MAX_NAME_BYTES) throw new OssError('formFieldTooLong');
    if (part.name === 'file') return { fields, file: part };
    if (part.filename !== undefined) throw new OssError('formMalformed');
    allBytes += nameBytes;
    const bytes = await readValue(part, MAX_FIELDS_BYTES - allBytes);
    allBytes += bytes.length;
    const name = fieldName(part.name);
    if (fields.has(name)) throw new OssError('formFieldTwice', { ArgumentName: name });
    fields.set(name, decodeValue(name, bytes));
  }
}

/**
 * A field's name for comparison. OSS's pages disagree whether case matters. Here `key`, `policy`
 * and `file` have to be in lower case, and the case of other names is ignored, as in headers.
 */
export function fieldName(name: string): string {
  return /^(?:key|policy|file)$/i.test(name) ? name : name.toLowerCase();
}

async function readValue({ content }: FormPart, maxBytes: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > MAX_VALUE_BYTES) break;
    chunks.push(chunk);
  }
  if (bytes > Math.min(MAX_VALUE_BYTES, maxBytes)) throw new OssError('formFieldTooLong');
  return Buffer.concat(chunks);
}

function decodeValue(name: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    if (name === 'key') throw new OssError('objectNameInvalid');
    throw new OssError('invalidArgument', { ArgumentName: name });
  }
}
