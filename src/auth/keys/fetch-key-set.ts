import { fetchJson, type JsonRequest } from './fetch-json.ts';
import { type PublishedKeys, toPublishedKeys } from './published-keys.ts';

/**
 * Fetches a JSON Web Key Set (RFC 7517 5).
 * @throws Error whose message may be shown to operators; it holds no address and nothing of the answer.
 */
export async function fetchKeySet(url: string, request: JsonRequest): Promise<PublishedKeys> {
  const json = await fetchJson(url, request);
  try {
    return toPublishedKeys(json);
  } catch (cause) {
    throw new Error('The answer is not a JSON Web Key Set.', { cause });
  }
}

/**
 * Finds and fetches the key set of an issuer by OpenID Connect Discovery 1.0, section 4. The document has to name this
 * very issuer (4.3), and its keys have to lie where nobody can swap them on the way.
 * @throws Error as `fetchKeySet` does.
 */
export async function discoverKeySet(issuer: string, request: JsonRequest): Promise<PublishedKeys> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchJson(url, request);
  const { issuer: named, jwks_uri: jwksUri } = (document ?? {}) as Readonly<Record<string, unknown>>;
  if (named !== issuer) throw new Error('The discovery document is that of another issuer.');
  if (typeof jwksUri !== 'string' || !isTrustworthy(jwksUri, issuer)) {
    throw new Error('The jwks_uri of the discovery document is not an https address.');
  }
  return fetchKeySet(jwksUri, request);
}

/** https; or http that stays on this machine, or goes where the discovery document itself came from by http. */
function isTrustworthy(address: string, issuer: string): boolean {
  const url = URL.parse(address);
  if (url?.protocol !== 'http:') return url?.protocol === 'https:';
  return (
    /^(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(url.hostname) || url.origin === new URL(issuer).origin
  );
}
