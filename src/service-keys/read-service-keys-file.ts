import type { ServiceKeys } from '../grants/ports/service-keys.ts';
import { readFault } from '../text/text-file.ts';
import { parseServiceKeys } from './parse-service-keys.ts';

/** The file with the service keys, as of one reading. */
export type ServiceKeysReading = {
  /** The same for the same content. Holds the keys, so it must not be logged. */
  readonly content: string;
} & (
  | { readonly keys: ServiceKeys }
  /** One sentence each, without any part of a key. */
  | { readonly faults: readonly string[] }
);

/**
 * Returns a function that reads and checks `SERVICE_KEYS_FILE`. It never throws: a file that cannot
 * be read is a fault. While the file does not change, it returns the same object.
 * @param readFile reads a file as text; throws if it cannot.
 */
export function createServiceKeysReader(
  path: string,
  readFile: (path: string) => string,
): () => ServiceKeysReading {
  let last: ServiceKeysReading | undefined;
  return () => {
    const file = readContent(path, readFile);
    if (last?.content !== file.content) last = { content: file.content, ...parse(file, path) };
    return last;
  };
}

type FileContent = { readonly content: string; readonly text: string } | { readonly content: string };

/** `content` is the text and a NUL, or the reason why the file cannot be read, which has no NUL. */
function readContent(path: string, readFile: (path: string) => string): FileContent {
  try {
    const text = readFile(path);
    return { content: `${text}\0`, text };
  } catch (error) {
    return { content: readFault(error) };
  }
}

function parse(
  file: FileContent,
  path: string,
): { readonly keys: ServiceKeys } | { readonly faults: readonly string[] } {
  if (!('text' in file)) return { faults: [`SERVICE_KEYS_FILE ${file.content}: ${path}.`] };
  const parsed = parseServiceKeys(file.text);
  return 'keys' in parsed
    ? parsed
    : { faults: parsed.faults.map((fault) => `SERVICE_KEYS_FILE ${path}: ${fault}.`) };
}
