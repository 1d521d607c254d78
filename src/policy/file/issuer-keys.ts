import { z } from 'zod';
import type { IssuerConfig, IssuerKeys } from '../../auth/issuer.ts';
import { readFault } from '../../text/text-file.ts';
import { decodeSecret, SECRET_ENCODINGS } from './issuer-secret.ts';
import { type PolicySources, type ReportFieldFault, readNamedSecret, type Written } from './named-secret.ts';

/**
 * Returns the keys that one entry of `issuers` names. Reads its `jwksFile`, `secretEnv` or
 * `secretFile`. `entry` may be of any shape; the schema reports a wrong one.
 */
export function issuerKeys(
  entry: Readonly<Record<string, unknown>>,
  sources: PolicySources,
  fault: ReportFieldFault,
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
  fault: ReportFieldFault,
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
  entry: Readonly<Record<string, unknown>>,
  sources: PolicySources,
  fault: ReportFieldFault,
  written: Written,
): Uint8Array | undefined {
  // The schema reports any other encoding.
  const encoding = SECRET_ENCODINGS.find((one) => one === entry.secretEncoding) ?? 'utf8';
  const secret = readNamedSecret(entry, sources, fault, written, (text, subject) =>
    decodeSecret(text, encoding, subject),
  );
  return secret === 'unusable' ? new Uint8Array(0) : secret;
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
