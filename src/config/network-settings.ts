import { isIP } from 'node:net';
import { compile } from '@fastify/proxy-addr';
import { hostKind, withoutTrailingSlash } from '../net/web-address.ts';

/** RFC 9110 5.6.2, the form of a field name. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

const MAX_HEADER_NAME_LENGTH = 64;

/**
 * Separators of lists in other programs. No entry can contain them: blanks, semicolons, the quotes
 * of a JSON list.
 */
const SEPARATOR = /[\s;"]/;
const ONE_ENTRY = 'must be one entry; separate entries with commas, without quotes or brackets';

/**
 * Request headers that browsers never let a page set
 * (https://fetch.spec.whatwg.org/#forbidden-request-header).
 */
const FORBIDDEN_HEADERS =
  /^(accept-(charset|encoding)|access-control-request-.*|connection|content-length|cookie2?|date|dnt|expect|host|keep-alive|origin|referer|set-cookie|te|trailer|transfer-encoding|upgrade|via|proxy-.*|sec-.*)$/i;

/** Entries of CORS_ORIGINS that allow every port of this machine, for development servers. */
export const ANY_PORT_ORIGINS: readonly string[] = ['http://localhost:*', 'http://127.0.0.1:*'];

/** The range names that `@fastify/proxy-addr` knows. */
const RANGE_NAMES = ['loopback', 'linklocal', 'uniquelocal'];

/**
 * The fault of an entry of CORS_ORIGINS, or undefined if browsers can send it as `Origin`: scheme,
 * host and port as the URL standard serialises them, or `http://localhost:*` or
 * `http://127.0.0.1:*` for every port of this machine.
 */
export function originFault(entry: string): string | undefined {
  if (ANY_PORT_ORIGINS.includes(entry)) return undefined;
  // URL parsers accept a "*" in a host name, but browsers never send one, so it would match
  // nothing.
  if (entry.includes('*')) return 'must not contain "*"; list each origin, such as https://app.example.com';
  if (entry === 'null') return 'must not be "null", which every sandboxed page sends';
  if (SEPARATOR.test(entry)) return ONE_ENTRY;
  const url = URL.parse(entry);
  if (url && /^https?:$/.test(url.protocol))
    return url.origin === entry ? undefined : `must be written as ${url.origin}`;
  const scheme = /^(localhost|127\.0\.0\.1)(:|$)/.test(entry) ? 'http' : 'https';
  const withScheme = /^[\w.-]+(:\d+)?$/.test(entry) && URL.parse(`${scheme}://${entry}`);
  return withScheme
    ? `must begin with the scheme, such as ${withScheme.origin}`
    : 'must be an http or https origin, such as https://app.example.com';
}

/** Every receipt contains the address. */
const MAX_PUBLIC_URL_LENGTH = 255;

/**
 * The fault of PUBLIC_URL, or undefined if it is an address that every part of the system spells in
 * the same way: https, or http to a loopback or private address; with a path if need be.
 */
export function publicUrlFault(given: string): string | undefined {
  if (given.length > MAX_PUBLIC_URL_LENGTH) return `must have at most ${MAX_PUBLIC_URL_LENGTH} characters`;
  const url = URL.parse(given);
  if (!url || !/^https?:$/.test(url.protocol))
    return 'must be the https:// address of the service, such as https://presign.example.com';
  if (url.username !== '' || url.password !== '') return 'must not contain a user name or password';
  if (/[?#]/.test(given)) return 'must not contain a query ("?") or a fragment ("#")';
  if (url.protocol === 'http:' && !['loopback', 'private'].includes(hostKind(url.hostname)))
    return 'must begin with https://; http:// is accepted only for localhost and for loopback and private addresses';
  if (url.pathname.includes('//')) return 'must not contain "//" in its path';
  if (!isDecodable(url.pathname))
    return 'must not contain a "%" in its path that is not percent-encoded UTF-8';
  const canonical = withoutTrailingSlash(url.href);
  return canonical === withoutTrailingSlash(given) ? undefined : `must be written as ${canonical}`;
}

/** Whether every `%` begins a byte of UTF-8. OSS signs its callbacks over the decoded path. */
function isDecodable(path: string): boolean {
  try {
    decodeURIComponent(path);
    return true;
  } catch {
    return false;
  }
}

/**
 * The fault of an entry of CORS_ALLOWED_HEADERS, or undefined if pages can send a header of this
 * name.
 */
export function corsHeaderFault(entry: string): string | undefined {
  if (entry === '*') return 'must not be "*", which does not cover Authorization; list each header';
  if (entry.length > MAX_HEADER_NAME_LENGTH) return `must have at most ${MAX_HEADER_NAME_LENGTH} characters`;
  if (SEPARATOR.test(entry)) return ONE_ENTRY;
  if (!TOKEN.test(entry) || entry.includes('*')) return 'must be a header name, such as X-Trace-Id';
  return FORBIDDEN_HEADERS.test(entry)
    ? 'must not be allowed: browsers never let a page set this header'
    : undefined;
}

/**
 * The fault of an entry of TRUST_PROXY, or undefined if Fastify accepts it: an address, a CIDR
 * range, an address with an IPv4 netmask, or a range name.
 */
export function trustedProxyFault(entry: string): string | undefined {
  if (RANGE_NAMES.includes(entry)) return undefined;
  if (SEPARATOR.test(entry)) return ONE_ENTRY;
  const example = `must be an IP address, a CIDR range such as 10.0.0.0/8, or one of ${RANGE_NAMES.join(', ')}`;
  // Fastify's parser reads "1" as the address 0.0.0.1; other programs read it as a number of
  // proxies.
  if (/^(\d+|true|\*)$/i.test(entry))
    return `${example}; "${entry}" cannot stand for proxies that are not named`;
  if (/\/0+$/.test(entry))
    return `${example}; a range of all addresses would let every client choose its own address`;
  const [address = ''] = entry.split('/');
  if (isIP(address) === 0) return example;
  try {
    compile(entry);
    return undefined;
  } catch {
    return example;
  }
}
