import { fetchJson, type JsonRequest } from '../../net/fetch-json.ts';
import { hostOf } from '../../net/http-call.ts';
import { hostKind } from '../../net/web-address.ts';
import { toLogText } from '../../text/log-text.ts';
import { type PublishedKeys, toPublishedKeys } from './published-keys.ts';

/**
 * Fetches a JSON Web Key Set (RFC 7517 5).
 * @throws Error whose message may be shown to operators: of the address it contains only the host,
 *   of the response nothing.
 */
export async function fetchKeySet(url: string, request: JsonRequest): Promise<PublishedKeys> {
  const json = await fetchJson(url, request);
  try {
    return toPublishedKeys(json);
  } catch (cause) {
    const what = isDiscoveryDocument(json)
      ? 'is a discovery document, not a JSON Web Key Set; remove jwksUrl, or set it to the jwks_uri of that document'
      : 'is not a JSON Web Key Set';
    throw new Error(`the response of ${hostOf(url)} ${what}`, { cause });
  }
}

function isDiscoveryDocument(json: unknown): boolean {
  return typeof json === 'object' && json !== null && 'jwks_uri' in json;
}

/**
 * Finds and fetches the key set of an issuer by OpenID Connect Discovery 1.0, section 4.
 *
 * The document must name exactly this issuer (4.3). Its `jwks_uri` must not lead from a public
 * issuer into a private network or use plain http.
 * @param at the base address of the document, if it is not the issuer.
 * @throws Error as `fetchKeySet` does. The message may also contain the issuer that the document
 *   names, cut to 256 characters, or the host of its `jwks_uri`.
 */
export async function discoverKeySet(
  issuer: string,
  request: JsonRequest,
  at: string = issuer,
): Promise<PublishedKeys> {
  const url = `${at.replace(/\/$/, '')}/.well-known/openid-configuration`;
  const document = await fetchJson(url, request);
  const { issuer: named, jwks_uri: jwksUri } = (document ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof named !== 'string') throw new Error(`the discovery document of ${hostOf(url)} names no issuer`);
  if (named !== issuer) {
    throw new Error(
      `the discovery document names the issuer ${JSON.stringify(toLogText(named))}; the policy must name exactly the same`,
    );
  }
  const fault = jwksUriFault(jwksUri, at);
  if (fault) throw new Error(`the jwks_uri of the discovery document ${fault}`);
  return fetchKeySet(String(jwksUri), request);
}

/** Why keys must not be fetched from a `jwks_uri`; undefined if they may. */
function jwksUriFault(jwksUri: unknown, issuer: string): string | undefined {
  const url = typeof jwksUri === 'string' ? URL.parse(jwksUri) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password)
    return 'is not an https address';
  const from = new URL(issuer);
  if (url.origin === from.origin) return undefined;
  const kind = hostKind(url.hostname);
  const issuerKind = hostKind(from.hostname);
  const isAllowedHost =
    kind === 'public' || (kind === 'loopback' ? issuerKind === 'loopback' : issuerKind !== 'public');
  const advice = 'set jwksUrl in the policy if that is intended';
  if (!isAllowedHost)
    return `leads from a public issuer into a private network (${hostOf(url.href)}); ${advice}`;
  if (url.protocol === 'https:') return undefined;
  const isPlainHttpAllowed = from.protocol === 'http:' && (kind === 'loopback' || kind === 'private');
  return isPlainHttpAllowed ? undefined : `uses plain http to ${hostOf(url.href)}; ${advice}`;
}
