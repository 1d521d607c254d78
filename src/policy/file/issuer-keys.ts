import { z } from 'zod';
import type { IssuerKeys } from '../../auth/issuer.ts';
import { readFault } from '../../text-file.ts';

export type PolicySources = {
  /** Where `${NAME}` and `secretEnv` are looked up. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads a `jwksFile`; throws when it cannot. */
  readonly readFile: (path: string) => string;
};

/** RFC 7518 3.2: a key for HS256 has at least the size of the hash. */
const MIN_SECRET_BYTES = 32;

/**
 * Says where the keys of one entry of `issuers` come from, reading its `jwksFile` or `secretEnv`.
 * `entry` may be of any shape; what is wrong with its shape is the schema's to say.
 */
export function issuerKeys(
  entry: Readonly<Record<string, unknown>>,
  { env, readFile }: PolicySources,
  fault: (field: string, detail: string) => void,
): IssuerKeys {
  const { jwksUrl, jwksFile, secretEnv } = entry;
  if (typeof jwksUrl === 'string') return { kind: 'jwksUrl', url: jwksUrl };
  if (typeof secretEnv === 'string') {
    const secret = new TextEncoder().encode(env[secretEnv] ?? '');
    if (secret.length === 0)
      fault('secretEnv', `names the environment variable ${secretEnv}, which is not set`);
    else if (secret.length < MIN_SECRET_BYTES)
      fault(
        'secretEnv',
        `names ${secretEnv}, which holds ${secret.length} bytes; HS256 needs at least ${MIN_SECRET_BYTES}`,
      );
    return { kind: 'secret', secret };
  }
  if (typeof jwksFile === 'string') {
    const jwks = readJwks(jwksFile, readFile);
    if (typeof jwks !== 'string') return { kind: 'jwks', jwks };
    fault('jwksFile', jwks);
  }
  return { kind: 'discovery' };
}

const jwksSchema = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).min(1) });

/** @returns the key set, or one sentence that says what is wrong with the file. */
function readJwks(path: string, readFile: (path: string) => string): z.output<typeof jwksSchema> | string {
  let text: string;
  try {
    text = readFile(path);
  } catch (error) {
    return `${readFault(error)}: ${path}`;
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return `is not JSON: ${path}`;
  }
  const parsed = jwksSchema.safeParse(json);
  if (!parsed.success) return `is not a JSON Web Key Set with at least one key: ${path}`;
  if (parsed.data.keys.some((key) => 'd' in key || 'k' in key))
    return `holds a private or symmetric key; it must hold public keys only: ${path}`;
  return parsed.data;
}
