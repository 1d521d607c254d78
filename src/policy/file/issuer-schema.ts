import { z } from 'zod';
import { isWebAddress, text } from './schema-parts.ts';

const ASYMMETRIC_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

/** One entry of `issuers`: whose tokens are believed, and where the keys to check them come from. */
export const issuerSchema = z
  .strictObject({
    issuer: text,
    audience: z.union([text, z.array(text).min(1)]),
    jwksUrl: z
      .string()
      .refine(
        isWebAddress,
        'must be an https:// address (http:// only for this machine or a private network)',
      )
      .optional(),
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
    if (sources.length === 0 && !isWebAddress(issuer.issuer)) {
      context.addIssue({
        code: 'custom',
        path: ['issuer'],
        message: 'must be an https:// address for OpenID discovery; else set jwksUrl, jwksFile or secretEnv',
      });
    }
  });
