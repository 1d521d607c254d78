import { z } from 'zod';
import type { ServiceKeysSource } from '../../grants/ports/service-keys.ts';
import { JWKS_EXAMPLE } from '../docs/openapi-examples.ts';
import type { Route } from './route.ts';

export type JwksDependencies = { readonly serviceKeys: ServiceKeysSource };

/** How long caches may keep the set, in seconds: a new key must be published before it signs. */
const MAX_AGE_SECONDS = 300;

/** The body of `GET /.well-known/jwks.json`, and the source of its part of `openapi.yaml`. */
export const publicKeySet = z.strictObject({
  keys: z
    .array(
      z.strictObject({
        kty: z.literal('EC'),
        crv: z.literal('P-256'),
        x: z.string(),
        y: z.string(),
        kid: z
          .string()
          .meta({ description: 'The `kid` in the header of the receipts that this key signed.' }),
        use: z.literal('sig'),
        alg: z.literal('ES256'),
      }),
    )
    .meta({ description: 'The public keys of the service (RFC 7517).' }),
});

/** `GET /.well-known/jwks.json`: the public keys that verify receipts. */
export const jwks: Route<JwksDependencies> = {
  method: 'GET',
  path: '/.well-known/jwks.json',
  isPublic: true,
  openapi: {
    operationId: 'getJwks',
    tag: 'Uploads',
    summary: 'Get the public keys that verify receipts',
    responses: {
      200: {
        description: 'The public keys of the service, as a JWK set (RFC 7517).',
        content: { name: 'PublicKeySet', schema: publicKeySet, example: JWKS_EXAMPLE },
      },
    },
  },
  handler:
    ({ serviceKeys }) =>
    () => ({
      status: 200,
      headers: { 'cache-control': `public, max-age=${MAX_AGE_SECONDS}` },
      json: serviceKeys.current().jwks,
    }),
};
