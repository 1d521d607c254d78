import { describe, expect, it } from 'vitest';
import { type IssuerConfig, MULTI_TENANT_ISSUER } from '../../src/auth/issuer.ts';
import { createKeySources } from '../../src/auth/keys/create-key-sources.ts';
import { createTokenVerifier } from '../../src/auth/token-verifier.ts';
import { fixedClock } from '../support/fixed-clock.ts';
import { createTestIssuer } from '../support/tokens.ts';
import { invalidToken, rejectionOfToken, UNKNOWN_KEY, UNTRUSTED } from './offline-verifier.ts';

const [FIRST, SECOND, STRANGER] = [
  '8eaef023-2b34-4da1-9baa-8bc8c9d6a490',
  '72f988bf-86f1-41af-91ab-2d7cd011db47',
  '9188040d-6c67-4c5b-b112-36a304b66dad',
];
const issuerOf = (tenant: string) => `https://login.microsoftonline.com/${tenant}/v2.0`;
const DISCOVERY = 'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration';
const KEYS = 'https://login.microsoftonline.com/common/discovery/v2.0/keys';

const entra = createTestIssuer({ issuer: MULTI_TENANT_ISSUER });
const config: IssuerConfig = { ...entra.config, tenants: [FIRST, SECOND], keys: { kind: 'discovery' } };

/** A verifier that receives documents such as Microsoft publishes. */
function entraVerifier(issuer = MULTI_TENANT_ISSUER, keySet: object = entra.jwks) {
  const requests: string[] = [];
  const documents = new Map<string, unknown>([
    [DISCOVERY, { issuer, jwks_uri: KEYS }],
    [KEYS, keySet],
  ]);
  const fetch = async (url: unknown) => {
    requests.push(String(url));
    return Response.json(documents.get(String(url)));
  };
  const verifier = createTokenVerifier({
    issuers: [config],
    clock: fixedClock,
    keySources: createKeySources({ clock: fixedClock, fetch }),
  });
  return { verifier, requests };
}

describe('the issuer of many tenants', () => {
  it('finds its keys through the common discovery document', async () => {
    const { verifier, requests } = entraVerifier();
    await verifier.preload();
    expect(requests).toStrictEqual([DISCOVERY, KEYS]);
    expect(verifier.status()).toMatchObject([{ issuer: MULTI_TENANT_ISSUER, keysLoaded: true }]);
  });

  it('rejects a document that names another issuer', async () => {
    const { verifier } = entraVerifier(issuerOf(FIRST));
    await verifier.preload();
    expect(verifier.status()).toMatchObject([
      { keysLoaded: false, lastError: expect.stringContaining(`names the issuer "${issuerOf(FIRST)}"`) },
    ]);
  });

  it.each([FIRST, SECOND])('accepts tokens of the listed tenant %s as an issuer of its own', async (tid) => {
    const { verifier } = entraVerifier();
    const caller = await verifier.verify(await entra.sign({ iss: issuerOf(tid), tid }));
    expect(caller).toMatchObject({
      issuer: issuerOf(tid),
      issuerTemplate: MULTI_TENANT_ISSUER,
      subject: 'alice',
    });
  });

  const OTHER_TENANT = "The token's tenant (`tid` claim) is not the one that its issuer (`iss` claim) names.";
  it.each<[string, Record<string, unknown>, string]>([
    ['of a tenant that is not listed', { iss: issuerOf(STRANGER), tid: STRANGER }, UNTRUSTED],
    ['whose tid is another listed tenant', { iss: issuerOf(FIRST), tid: SECOND }, OTHER_TENANT],
    ['whose tid is a tenant that is not listed', { iss: issuerOf(FIRST), tid: STRANGER }, OTHER_TENANT],
    ['whose iss is a tenant that is not listed', { iss: issuerOf(STRANGER), tid: FIRST }, UNTRUSTED],
    ['without tid', { iss: issuerOf(FIRST) }, OTHER_TENANT],
    ['with a list of tenants', { iss: issuerOf(FIRST), tid: [FIRST] }, OTHER_TENANT],
    ['with its tid in capitals', { iss: issuerOf(FIRST), tid: FIRST.toUpperCase() }, OTHER_TENANT],
    ['with its iss in capitals', { iss: issuerOf(FIRST.toUpperCase()), tid: FIRST }, UNTRUSTED],
    ['with the placeholder itself', { iss: MULTI_TENANT_ISSUER, tid: '{tenantid}' }, UNTRUSTED],
    ['of version 1', { iss: `https://sts.windows.net/${FIRST}/`, tid: FIRST }, UNTRUSTED],
    ['of a tenant with a path', { iss: issuerOf(`${FIRST}/x`), tid: `${FIRST}/x` }, UNTRUSTED],
    ['of an empty tenant', { iss: issuerOf(''), tid: '' }, UNTRUSTED],
  ])('rejects a token %s', async (_, claims, detail) => {
    const { verifier } = entraVerifier();
    expect(await rejectionOfToken(verifier, await entra.sign(claims))).toStrictEqual(invalidToken(detail));
  });

  /** Microsoft names the issuer in each key, because consumer accounts have separate keys. */
  const keysOf = (issuer: string | undefined) => ({
    keys: entra.jwks.keys.map((key) => ({ ...key, ...(issuer !== undefined && { issuer }) })),
  });

  it.each([
    ['all tenants', MULTI_TENANT_ISSUER],
    ['this tenant', issuerOf(FIRST)],
    ['no particular tenant', undefined],
  ])('accepts a token that is signed by a key of %s', async (_, issuer) => {
    const { verifier } = entraVerifier(MULTI_TENANT_ISSUER, keysOf(issuer));
    const token = await entra.sign({ iss: issuerOf(FIRST), tid: FIRST });
    expect((await verifier.verify(token)).subject).toBe('alice');
  });

  it.each([
    ['another listed tenant', issuerOf(SECOND)],
    ['consumer accounts', issuerOf(STRANGER)],
    ['an empty issuer', ''],
  ])('rejects a token that is signed by a key of %s', async (_, issuer) => {
    const { verifier } = entraVerifier(MULTI_TENANT_ISSUER, keysOf(issuer));
    const token = await entra.sign({ iss: issuerOf(FIRST), tid: FIRST });
    expect(await rejectionOfToken(verifier, token)).toStrictEqual(invalidToken(UNKNOWN_KEY));
  });

  it('fetches its keys once for all tenants', async () => {
    const { verifier, requests } = entraVerifier();
    for (const tid of [FIRST, SECOND]) await verifier.verify(await entra.sign({ iss: issuerOf(tid), tid }));
    expect(requests).toStrictEqual([DISCOVERY, KEYS]);
  });
});
