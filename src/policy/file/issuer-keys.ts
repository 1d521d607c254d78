import { z } from 'zod';
import type { IssuerConfig, IssuerKeys } from '../../auth/issuer.ts';
import { readFault } from '../../text/text-file.ts';
import { decodeSecret, SECRET_ENCODINGS } from './issuer-secret.ts';

export type PolicySources = {
  /** The environment variables for `${NAME}` and `secretEnv`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a `jwksFile` or `secretFile`; throws when it cannot. */
  readonly readFile: (path: string) => string;
};

type Fault = (field: string, detail: string) => void;
/**
 * Returns a field's text as in the file, with its placeholders. Faults must not show a value of the
 * environment.
 */
type Written = (field: string) => string;

/**
 * Returns the keys that one entry of `issuers` names. Reads its `jwksFile`, `secretEnv` or
 * `secretFile`. `entry` may be of any shape; the schema reports a wrong one.
 */
export function issuerKeys(
  entry: Readonly<Record<string, unknown>>,
  sources: PolicySources,
  fault: Fault,
  written: Written,
): Pick<IssuerConfig, 'keys' | 'secret'> {
  const secret = readSecret(entry, sources, fault, written);
  const keys = readKeys(entry, sources, fault, written);
  if (secret === undefined) return { keys: keys ?? { kind: 'discovery' } };
  return { secret, ...(keys && { keys }) };
}

function readKeys(
  { jwksUrl, jwksFile }: Readonly<Record<string, unknown>>,
  { readFile }: PolicySources,
  fault: Fault,
  written: Written,
): IssuerKeys | undefined {
  if (typeof jwksUrl === 'string') return { kind: 'jwksUrl', url: jwksUrl };
  if (typeof jwksFile !== 'string') return undefined;
  const jwks = readJwks(jwksFile, written('jwksFile'), readFile);
  if (typeof jwks !== 'string') return { kind: 'jwks', jwks };
  fault('jwksFile', jwks);
  return undefined;
}

/**
 * @returns undefined if the entry names no secret; an empty secret if it cannot be used, after
 * reporting the fault.
 */
function readSecret(
  { secretEnv, secretFile, secretEncoding }: Readonly<Record<string, unknown>>,
  { env, readFile }: PolicySources,
  fault: Fault,
  written: Written,
): Uint8Array | undefined {
  // The schema reports any other encoding.
  const encoding = SECRET_ENCODINGS.find((one) => one === secretEncoding) ?? 'utf8';
  if (typeof secretEnv === 'string') {
    const text = Object.hasOwn(env, secretEnv) ? env[secretEnv] : undefined;
    const decoded =
      text === undefined || text === ''
        ? `names the environment variable ${written('secretEnv')}, which is not set`
        : decodeSecret(text, encoding, `names ${written('secretEnv')}, which`);
    if (typeof decoded !== 'string') return decoded;
    fault('secretEnv', decoded);
    return new Uint8Array(0);
  }
  if (typeof secretFile === 'string') {
    let decoded: Uint8Array | string;
    try {
      // Editors, `echo` and secret stores end a file with a line break, and some begin it with a
      // byte order mark.
      const text = readFile(secretFile)
        .replace(/^\ufeff/, '')
        .replace(/\r?\n$/, '');
      decoded = decodeSecret(text, encoding, `names ${written('secretFile')}, which`);
    } catch (error) {
      decoded = `${readFault(error)}: ${written('secretFile')}`;
    }
    if (typeof decoded !== 'string') return decoded;
    fault('secretFile', decoded);
    return new Uint8Array(0);
  }
  return undefined;
}

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** @returns the key set, or the fault of the file, as one sentence. */
function readJwks(
  path: string,
  writtenPath: string,
  readFile: (path: string) => string,
): z.output<typeof jwksSchema> | string {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return `${readFault(error)}: ${writtenPath}`;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return `is not JSON: ${writtenPath}`;
  }
  const parsed = jwksSchema.safeParse(json);
  if (!parsed.success) return `is not a JSON Web Key Set with at least one key: ${writtenPath}`;
  if (parsed.data.keys.some((key) => 'd' in key || 'k' in key))
    return `holds a private or symmetric key; it must hold public keys only: ${writtenPath}`;
  return parsed.data;
}
