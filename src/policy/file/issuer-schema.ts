import { z } from 'zod';
import { ASYMMETRIC_ALGORITHMS, MULTI_TENANT_ISSUER } from '../../auth/issuer.ts';
import { webAddressFault } from '../../net/web-address.ts';
import { SECRET_ENCODINGS } from './issuer-secret.ts';
import { parseDurationSeconds } from './quantities.ts';
import { text } from './schema-parts.ts';

/** A duration within bounds, as whole seconds. */
const secondsBetween = (min: number, max: number, expectation: string) =>
  z
    .union([z.string().max(20), z.int()])
    .meta({ unit: 'duration' })
    .transform((duration, context) => {
      const seconds = parseDurationSeconds(duration);
      if (seconds !== undefined && seconds >= min && seconds <= max) return seconds;
      context.addIssue(expectation);
      return z.NEVER;
    });

const tenantId = z
  .string()
  .max(36, 'must be a tenant ID (a GUID)')
  .regex(/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'must be a tenant ID (a GUID)')
  .transform((id) => id.toLowerCase());

/**
 * Claims that do not name the audience of a token. With one of these as `audienceClaim`, every
 * token of the issuer could be accepted.
 */
const NO_AUDIENCE: readonly string[] = ['iss', 'sub', 'exp', 'nbf', 'iat', 'jti'];

/** Words in Entra ID's addresses for several tenants. No token has them in its `iss`. */
const SHARED_ENTRA_ISSUER =
  /^https:\/\/login\.microsoftonline\.com\/(?:common|organizations|consumers)(?:\/|$)/;

/** One entry of `issuers`: an issuer whose tokens are accepted, and its verification keys. */
export const issuerSchema = z
  .strictObject({
    issuer: text.meta({ description: 'The `iss` of the tokens, character by character.' }),
    tenants: z
      .array(tenantId)
      .min(1, 'must name at least one tenant')
      .refine((tenants) => new Set(tenants).size === tenants.length, 'names a tenant twice')
      .optional()
      .meta({ description: 'The tenant IDs of a multi-tenant issuer of Microsoft Entra ID.' }),
    audience: z
      .union([text, z.array(text).min(1)])
      .meta({ description: 'The token’s audience must contain one of these.' }),
    audienceClaim: text
      .refine((name) => !name.startsWith('/'), {
        message: 'must be the name of a claim, such as client_id; a JSON pointer is not possible here',
      })
      .refine((name) => !NO_AUDIENCE.includes(name), {
        message: 'must be a claim that names for whom the token is, such as aud, client_id or azp',
      })
      .optional()
      .meta({ description: 'The claim that holds the audience.', default: 'aud' }),
    jwksUrl: z.string().optional().meta({
      description:
        'Where the verification keys are. If no source of keys is set, OpenID discovery finds them.',
    }),
    jwksFile: text.optional().meta({ description: 'A JWKS file; its path is relative to the policy file.' }),
    secretEnv: text
      .optional()
      .meta({ description: 'The environment variable with the shared secret, for HS256.' }),
    secretFile: text.optional().meta({
      description: 'A file with the shared secret, for HS256. It is read again when it is replaced.',
    }),
    secretEncoding: z
      .enum(SECRET_ENCODINGS)
      .optional()
      .meta({ description: 'The encoding of the shared secret.', default: 'utf8' }),
    algorithms: z
      .array(z.enum([...ASYMMETRIC_ALGORITHMS, 'HS256']))
      .min(1)
      .optional()
      .meta({
        description:
          'The accepted values of the token’s `alg`. By default RS256, ES256 and EdDSA, or HS256 with a secret only.',
      }),
    maxStale: secondsBetween(600, 2_592_000, 'must be a duration from 10m to 30d, such as 24h')
      .optional()
      .meta({
        description: 'How long keys verify that cannot be refreshed, from 10m to 30d. By default 24h.',
      }),
    clockTolerance: secondsBetween(0, 120, 'must be a duration from 0s to 120s, such as 30s')
      .optional()
      .meta({ description: 'The clock difference that is tolerated, from 0s to 120s. By default 30s.' }),
    insecureHttp: z
      .boolean()
      .default(false)
      .meta({ description: 'Allows plain http to hosts that are neither local nor private.' }),
  })
  .superRefine((entry, context) => {
    const { issuer, tenants, jwksUrl, jwksFile, secretEnv, secretFile, secretEncoding, algorithms } = entry;
    const addIssue = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: [field], message });

    if (issuer === MULTI_TENANT_ISSUER) {
      if (!tenants) addIssue('tenants', 'is missing: list the IDs of the tenants that are trusted');
    } else {
      if (tenants) addIssue('tenants', `needs the issuer ${MULTI_TENANT_ISSUER}`);
      if (SHARED_ENTRA_ISSUER.test(issuer))
        addIssue(
          'issuer',
          `is the issuer of no token, because each tenant has its own; use ${MULTI_TENANT_ISSUER} with tenants, or the issuer of one tenant`,
        );
      // An environment variable that is not set has been reported already.
      if (/[{}]/.test(issuer) && !issuer.includes('${'))
        addIssue(
          'issuer',
          `must not contain "{" or "}", because no token has such an issuer; possible is ${MULTI_TENANT_ISSUER} with tenants`,
        );
    }

    const hasSecret = secretEnv !== undefined || secretFile !== undefined;
    const hasKeys = jwksUrl !== undefined || jwksFile !== undefined;
    if (jwksUrl !== undefined && jwksFile !== undefined)
      context.addIssue('has jwksUrl and jwksFile; at most one of them may be set');
    if (secretEnv !== undefined && secretFile !== undefined)
      context.addIssue('has secretEnv and secretFile; at most one of them may be set');
    if (secretEncoding !== undefined && !hasSecret)
      addIssue('secretEncoding', 'needs secretEnv or secretFile');

    const isSymmetric = algorithms?.includes('HS256') ?? false;
    const isAsymmetric = algorithms?.some((algorithm) => algorithm !== 'HS256') ?? false;
    if (hasSecret && hasKeys && !(isSymmetric && isAsymmetric)) {
      addIssue(
        'algorithms',
        'must list HS256 for the secret and an asymmetric algorithm for the published keys',
      );
    } else if (hasSecret && !hasKeys && algorithms && isAsymmetric) {
      addIssue(
        'algorithms',
        'must be [HS256] if there is a secret only; for others set jwksUrl or jwksFile as well',
      );
    } else if (!hasSecret && isSymmetric) {
      addIssue('algorithms', 'may list HS256 only if secretEnv or secretFile is set');
    }

    if (jwksUrl !== undefined) {
      const fault = webAddressFault(jwksUrl, entry);
      if (fault) addIssue('jwksUrl', fault);
    } else if (!hasKeys && !hasSecret) {
      const fault = webAddressFault(issuer, entry);
      if (fault)
        addIssue('issuer', `${fault}; OpenID discovery uses it, because no other source of keys is set`);
    }
  });
