import { BlockList, isIP } from 'node:net';

/**
 * The network of a host, derived from its name or address. Names are not resolved: a public name
 * with a private address is `public`.
 *
 * - `loopback`: this machine (RFC 1122 3.2.1.3, RFC 4291 2.5.3, RFC 6761 6.3).
 * - `private`: an address of a private network (RFC 1918), a link (RFC 3927, RFC 4291 2.5.6) or a
 *   site (RFC 4193).
 * - `internal`: another address that the public internet does not route to an ordinary host, or a
 *   name that is not in the public DNS. The resolver decides which host has such a name.
 */
export type HostKind = 'loopback' | 'private' | 'internal' | 'public';

const LOOPBACK = blockList(['127.0.0.0/8', '::1/128']);
const PRIVATE = blockList([
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '169.254.0.0/16'],
  ...['fe80::/10', 'fc00::/7'],
]);
/**
 * IANA special-purpose registries, and the IPv6 ranges that contain an IPv4 address (RFC 4291
 * 2.5.5.1, RFC 6052, RFC 3056).
 */
const SPECIAL = blockList([
  ...['0.0.0.0/8', '100.64.0.0/10', '192.0.0.0/24', '192.0.2.0/24', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/3'],
  ...['::/96', '64:ff9b::/96', '64:ff9b:1::/48', '100::/64', '2001:db8::/32', '2002::/16', 'ff00::/8'],
  // Teredo and other protocol assignments, documentation, segment routing, and the site-local range
  // that RFC 3879 withdrew.
  ...['2001::/23', '3fff::/20', '5f00::/16', 'fec0::/10'],
]);

/**
 * Top-level names that are reserved or cannot be registered (RFC 6761, RFC 6762, RFC 8375 and
 * ICANN's list of 2024).
 */
const INTERNAL_NAME =
  /^[^.]+$|\.(?:internal|local|svc|test|example|invalid|lan|home|corp|intranet|private)$|\.home\.arpa$/;

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', prefix] = range.split('/');
    list.addSubnet(address, Number(prefix), isIP(address) === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}

/**
 * Returns the kind of a host.
 * @param hostname of a parsed URL, which has the canonical form of every address (`127.1`,
 *   `0x7f000001`).
 */
export function hostKind(hostname: string): HostKind {
  const host = hostname.replace(/^\[|\]$/g, '');
  const version = isIP(host);
  if (version === 0) {
    const name = host.replace(/\.$/, '');
    if (name === 'localhost' || name.endsWith('.localhost')) return 'loopback';
    return INTERNAL_NAME.test(name) ? 'internal' : 'public';
  }
  const family = version === 6 ? 'ipv6' : 'ipv4';
  if (LOOPBACK.check(host, family)) return 'loopback';
  if (PRIVATE.check(host, family)) return 'private';
  return SPECIAL.check(host, family) ? 'internal' : 'public';
}

/** The fault of an address: the rest of a sentence that begins with the name of its setting. */
type AddressFault = string;

/**
 * Returns why an address from the policy file cannot be trusted; undefined if it can.
 *
 * https is trusted. Plain http is trusted only to loopback and private addresses, unless the
 * operator has accepted its risk.
 */
export function webAddressFault(
  address: string,
  { insecureHttp }: { readonly insecureHttp: boolean },
): AddressFault | undefined {
  const url = URL.parse(address);
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') return 'must be an https:// address';
  if (url.username || url.password || url.hash)
    return 'must be an https:// address without a user name, password or fragment ("#…")';
  if (url.protocol === 'https:' || insecureHttp) return undefined;
  const kind = hostKind(url.hostname);
  if (kind === 'loopback' || kind === 'private') return undefined;
  return (
    'uses plain http; use https://, or set insecureHttp: true next to it. Without that, http:// is accepted only for localhost, ' +
    '*.localhost, and loopback, private, link-local and unique-local IP addresses'
  );
}

/** Source: https://fetch.spec.whatwg.org/#port-blocking */
const BLOCKED_PORTS: ReadonlySet<string> = new Set(
  (
    '1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 ' +
    '123 135 137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 ' +
    '990 993 995 1719 1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080'
  ).split(' '),
);

/** Whether `fetch` never connects to the port of an address. */
export function isBlockedPort(address: string): boolean {
  return BLOCKED_PORTS.has(URL.parse(address)?.port ?? '');
}

/** Removes the slash at the end of an address, without which it means the same. */
export function withoutTrailingSlash(address: string): string {
  return address.endsWith('/') ? address.slice(0, -1) : address;
}
