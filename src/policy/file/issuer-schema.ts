import { z } from 'zod';
import { text, webAddress } from './schema-parts.ts';

const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

/** One entry of `issuers`: whose tokens are believed, and where the keys to check them come from. */
export const issuerSchema = z
  .strictObject({
    issuer: text,
    audience: z.union([text, z.array(text).min(1)]),
    jwksUrl: webAddress('the address of a JSON Web Key Set').optional(),
    jwksFile: text.optional(),
    secretEnv: text.optional(),
    algorithms: z
      .array(z.enum([...ASYMMETRIC_ALGORITHMS, 'HS256']))
      .min(1)
      .optional(),
  })
  .superRefine((issuer, context) => {
    const sources = (['jwksUrl', 'jwksFile', 'secretEnv'] as const).filter((source) => issuer[source]);
    if (sources.length > 1) context.addIssue(`has ${sources.join(' and ')}; at most one of them may stand`);
    const symmetric = issuer.algorithms?.includes('HS256') ?? false;
    if (issuer.secretEnv && issuer.algorithms?.some((algorithm) => algorithm !== 'HS256')) {
      context.addIssue({
        code: 'custom',
        path: ['algorithms'],
        message: 'must be [HS256] where secretEnv is set',
      });
    }
    if (!issuer.secretEnv && symmetric) {
      context.addIssue({
        code: 'custom',
        path: ['algorithms'],
        message: 'may hold HS256 only where secretEnv is set',
      });
    }
    if (sources.length === 0 && !webAddress('').safeParse(issuer.issuer).success) {
      context.addIssue({
        code: 'custom',
        path: ['issuer'],
        message: 'must be an https:// address for OpenID discovery; else set jwksUrl, jwksFile or secretEnv',
      });
    }
  });
