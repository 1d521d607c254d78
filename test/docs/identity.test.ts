import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MULTI_TENANT_ISSUER } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { ServiceError } from '../../src/errors.ts';
import { parseUploadRequestBody } from '../../src/grants/upload/request.ts';
import { claimsNamedBy, scopesNamedBy } from '../../src/policy/claims-named-by.ts';
import { decideUpload } from '../../src/policy/decide-upload.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import type { Policy } from '../../src/policy/policy.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { forgeToken, hmacSigner } from '../support/forge-token.ts';
import { createTestIssuer, nowSeconds } from '../support/tokens.ts';

type Claims = Readonly<Record<string, unknown>>;

const PHOTO = parseUploadRequestBody({ filename: 'photo.png', contentType: 'image/png', contentLength: 5 });
const SECRET = 'super-secret-jwt-token-with-at-least-32-characters';
const page = readFileSync(new URL('../../docs/identity.md', import.meta.url), 'utf8');
const blocksOf = (section: string, language: string) =>
  [...section.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(
    ([, block]) => block ?? '',
  );

/**
 * Each section of the page that shows a token, with that token's claims and the entries of the
 * policy.
 */
const sections = page.split(/^## /m).flatMap((section) => {
  const [token] = blocksOf(section, 'json');
  const title = section.split('\n')[0] ?? '';
  return token === undefined
    ? []
    : [{ title, claims: JSON.parse(token) as Claims, policies: blocksOf(section, 'yaml') }];
});
const cases = sections.flatMap(({ title, claims, policies }) =>
  policies.map((policy, index) => ({
    name: index === 0 ? title : `${title}, entry ${index + 1}`,
    claims,
    policy,
  })),
);

const issuers = {
  RS256: createTestIssuer({ algorithm: 'RS256' }),
  ES256: createTestIssuer({ algorithm: 'ES256' }),
};
const jwks = {
  keys: [...issuers.RS256.jwks.keys.map((key) => ({ ...key, kid: 'rsa' })), ...issuers.ES256.jwks.keys],
};

/** The folders into which the tokens of the page may upload. */
const PREFIXES: Readonly<Record<string, string>> = {
  Keycloak: 'users/f1c4f64e-2c0c-4cda-8c9f-9f3f8f3a2b0e/',
  Auth0: 'users/auth0|5f7c8ec7c33c6c004bbafe82/',
  'Microsoft Entra ID': 'users/690222be-ff1a-4d56-abd1-7e4f7d38e474/',
  'Microsoft Entra ID, entry 2':
    'tenants/72f988bf-86f1-41af-91ab-2d7cd011db47/690222be-ff1a-4d56-abd1-7e4f7d38e474/',
  Okta: 'users/00ugrenMeqvYla4HW0g3/',
  'Amazon Cognito': 'users/90cc69cc-5061-7072-1f65-f3a1d3ff0c11/',
  Firebase: 'users/w3DhZ2cJxSdXbcQ9sOHhG2mGzrH2/',
  Supabase: 'users/123e4567-e89b-12d3-a456-426614174000/',
  'Supabase, entry 2': 'users/123e4567-e89b-12d3-a456-426614174000/',
  Authing: 'users/63f1a2b3c4d5e6f708192a3b/',
  Casdoor: 'users/7bd4a3c2-1f0e-4d5c-9b8a-7f6e5d4c3b2a/',
  'Kubernetes service accounts': 'imports/media/',
  'GitHub Actions': 'releases/acme/74/',
};

function policyOf(entries: string): Policy {
  const parsed = parsePolicy(`${entries}targets:\n  media: { bucket: acme-media, region: cn-hangzhou }\n`, {
    env: { SUPABASE_JWT_SECRET: SECRET },
    readFile: () => JSON.stringify(jwks),
  });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy;
}

/**
 * The claims as they would be now: the page's times stand for a token that was issued a minute ago.
 */
function current(claims: Claims): Claims {
  const shift = nowSeconds - 60 - Number(claims.iat);
  return Object.fromEntries(
    Object.entries(claims).map(([name, value]) => [
      name,
      ['exp', 'iat', 'nbf', 'auth_time'].includes(name) ? Number(value) + shift : value,
    ]),
  );
}

async function sign(claims: Claims, algorithm: string): Promise<string> {
  if (algorithm === 'HS256') return forgeToken({ alg: 'HS256', typ: 'JWT' }, claims, hmacSigner(SECRET));
  const issuer = issuers[algorithm as keyof typeof issuers];
  const absent = { scope: undefined, aud: undefined, sub: undefined, ...claims };
  return issuer.sign(absent, algorithm === 'RS256' ? { kid: 'rsa' } : {});
}

/** The key that the service grants for a token, or the code of its rejection or denial. */
async function upload(policy: Policy, token: string): Promise<string> {
  const fetch = async (url: unknown) => {
    const address = String(url);
    if (!address.endsWith('/.well-known/openid-configuration')) return Response.json(jwks);
    const at = address.replace('/.well-known/openid-configuration', '');
    const named = policy.issuers
      .map(({ issuer }) => issuer)
      .find((issuer) => issuer.replace(/\/$/, '') === at);
    const issuer = at === 'https://login.microsoftonline.com/common/v2.0' ? MULTI_TENANT_ISSUER : named;
    return Response.json({ issuer, jwks_uri: `${at}/keys` });
  };
  const verifier = createTokenVerifier({
    issuers: policy.issuers,
    namedByPolicy: { claims: claimsNamedBy(policy), scopes: scopesNamedBy(policy) },
    clock: fixedClock,
    keySources: createKeySources({ clock: fixedClock, fetch }),
  });
  try {
    const caller = await verifier.verify(token);
    const decision = decideUpload(policy, caller, PHOTO, () => 'ID');
    return decision.allowed ? decision.grant.key : (decision.violations[0]?.code ?? '');
  } catch (error) {
    if (error instanceof ServiceError) return error.code;
    throw error;
  }
}

it('has a section for each provider that the page promises', () => {
  expect(cases.map(({ name }) => name)).toStrictEqual(Object.keys(PREFIXES));
});

describe.each(cases)('$name', ({ name, claims, policy: entries }) => {
  const policy = policyOf(entries);
  const [issuer] = policy.issuers;
  const [rule] = policy.rules;
  if (!issuer || !rule) throw new Error(name);
  const now = current(claims);

  it.each(issuer.algorithms)('a token as shown, signed by %s, uploads into its folder', async (algorithm) => {
    expect(await upload(policy, await sign(now, algorithm))).toBe(`${PREFIXES[name]}ID.png`);
  });

  it('warns of nothing', () => {
    expect(policy.warnings).toStrictEqual([]);
  });

  it.each(issuer.algorithms)(
    'a token by %s is rejected with another audience, issuer or key, or when it is over',
    async (algorithm) => {
      const wrong: readonly Claims[] = [
        { ...now, [issuer.audienceClaim ?? 'aud']: 'another' },
        { ...now, [issuer.audienceClaim ?? 'aud']: undefined },
        { ...now, iss: `${now.iss}/` },
        { ...now, exp: nowSeconds - 30 },
      ];
      for (const one of wrong)
        expect(await upload(policy, await sign(one, algorithm))).toBe('unauthenticated');
      const token = await sign(now, algorithm);
      expect(await upload(policy, `${token.slice(0, -8)}AAAAAAAA`)).toBe('unauthenticated');
    },
  );

  it('a token without what the rule asks for uploads nothing', async () => {
    const [algorithm = ''] = issuer.algorithms;
    expect((rule.who.scope ?? []).length + (rule.who.claims ?? []).length).toBeGreaterThan(0);
    if (rule.who.scope)
      expect(await upload(policy, await sign({ ...now, scope: undefined, scp: undefined }, algorithm))).toBe(
        'no_matching_rule',
      );
    for (const { claim } of rule.who.claims ?? []) {
      const [top] = claim.path;
      const less = { ...now, [top]: top === 'sub' ? 'another' : undefined };
      expect(await upload(policy, await sign(less, algorithm)), top).toBe('no_matching_rule');
    }
  });
});
