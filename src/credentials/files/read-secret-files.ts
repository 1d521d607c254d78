import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Credentials } from '../../grants/ports/credentials-source.ts';
import { systemErrorCode } from '../../text/system-error.ts';
import type { SecretPart, SecretParts } from '../credentials-config.ts';
import { parseSecret } from './parse-secret.ts';

/** The content of all files at one instant. */
export type SecretFilesReading = {
  readonly credentials: Credentials;
  /** Identifies a state of the files: real paths, inodes, sizes and times. */
  readonly fingerprint: string;
  /** The real directories of the files; a single one if all files are in the same directory. */
  readonly directories: ReadonlySet<string>;
};

/** A swap is instantaneous, so a read that overlaps with one rarely overlaps with the next. */
const MAX_ATTEMPTS = 5;

/**
 * Reads all parts of the credentials as of one instant, although they are in several files.
 *
 * Locates each file before and after the read, and discards the read if anything changed. With the
 * symlink that Kubernetes swaps, the result is one generation and never a mix.
 * @returns the content, or a fault: a sentence without its full stop and without a secret.
 */
export async function readSecretFiles(
  parts: SecretParts,
): Promise<SecretFilesReading | { readonly fault: string }> {
  let fault = 'the credentials files keep changing';
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const before = await locateAll(parts);
    if ('fault' in before) {
      fault = before.fault;
      continue;
    }
    const read = await readAll(parts, before.paths);
    const after = await locateAll(parts);
    if ('fault' in after || after.fingerprint !== before.fingerprint) continue;
    if ('fault' in read) return read;
    const { fingerprint, paths } = before;
    return { ...read, fingerprint, directories: new Set([...paths.values()].map(dirname)) };
  }
  return { fault };
}

type Located = { readonly fingerprint: string; readonly paths: ReadonlyMap<string, string> };

async function locateAll(parts: SecretParts): Promise<Located | { readonly fault: string }> {
  const marks: unknown[] = [];
  const paths = new Map<string, string>();
  for (const part of filesOf(parts)) {
    try {
      const path = await realpath(part.file);
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      marks.push(path, dev, ino, size, mtimeNs, ctimeNs);
      paths.set(part.file, path);
    } catch (error) {
      return unreadable(part, error);
    }
  }
  return { fingerprint: marks.join('\n'), paths };
}

async function readAll(
  parts: SecretParts,
  paths: Located['paths'],
): Promise<{ readonly credentials: Credentials } | { readonly fault: string }> {
  const secrets: { -readonly [name in keyof SecretParts]?: string } = {};
  for (const [name, part] of Object.entries(parts) as [keyof SecretParts, SecretPart][]) {
    if ('value' in part) {
      secrets[name] = part.value;
      continue;
    }
    let text: string;
    try {
      text = await readFile(paths.get(part.file) ?? part.file, 'utf8');
    } catch (error) {
      return unreadable(part, error);
    }
    const parsed = parseSecret(text, part.variable);
    if ('fault' in parsed) return { fault: `${part.variable} ${parsed.fault}` };
    secrets[name] = parsed.secret;
  }
  return { credentials: Object.freeze(secrets as Credentials) };
}

function filesOf(parts: SecretParts): Extract<SecretPart, { file: string }>[] {
  return Object.values(parts).filter((part) => 'file' in part);
}

function unreadable({ variable }: { readonly variable: string }, error: unknown): { readonly fault: string } {
  return {
    fault: `${variable} cannot be read (${systemErrorCode(error)})`,
  };
}
