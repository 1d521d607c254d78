import { OssError } from '../oss-error.ts';
import type { QueryParameter } from '../request-target.ts';
import type { XmlElement } from '../xml.ts';

const MAX_COUNT = 1000;
const MAX_TEXT_BYTES = 1023;

/** Returns the value of a query parameter, undefined if it is absent. */
export type Reader = (name: string) => string | undefined;

/** Reads the parameters of a query by name; of a name that is there twice, the last. */
export function createReader(query: readonly QueryParameter[]): Reader {
  const parameters = new Map(query.map(({ name, value }) => [name, value]));
  return (name) => parameters.get(name);
}

/**
 * Reads a text, empty if it is absent.
 * @throws OssError `InvalidArgument` over 1023 bytes.
 */
export function readText(read: Reader, name: string): string {
  const text = read(name) ?? '';
  if (Buffer.byteLength(text) > MAX_TEXT_BYTES) rejectParameter(name, text);
  return text;
}

/**
 * Reads how many entries a page may have, 1 to 1000.
 * @throws OssError `InvalidArgument` for anything else.
 */
export function readCount(read: Reader, name: string, byDefault: number): number {
  const text = read(name);
  if (text === undefined || text === '') return byDefault;
  const count = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > MAX_COUNT) rejectParameter(name, text);
  return count;
}

/**
 * Reads `encoding-type`, and returns the encoding of names in the response.
 * @throws OssError `InvalidArgument` for anything but `url`.
 */
export function readEncoding(read: Reader): (text: string) => string {
  const type = read('encoding-type');
  if (type === undefined || type === '') return (text) => text;
  if (type.toLowerCase() !== 'url') rejectParameter('encoding-type', type);
  return encodeURIComponent;
}

/** An element, or none for a value that is absent or empty. */
export function optional(name: string, value: string | undefined): readonly XmlElement[] {
  return value === undefined || value === '' ? [] : [[name, value]];
}

/** @throws OssError `InvalidArgument` with the name and the value of a parameter. */
export function rejectParameter(name: string, value: string): never {
  throw new OssError('invalidArgument', { ArgumentName: name, ArgumentValue: value });
}
