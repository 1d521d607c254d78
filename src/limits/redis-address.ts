import { isIPv6 } from 'node:net';

export type RedisNode = { readonly host: string; readonly port: number };

type Login = { readonly username?: string; readonly password?: string };

/** The Redis that counts the limits. It contains passwords: never log it. */
export type RedisAddress =
  | { readonly kind: 'server'; readonly url: string; readonly database: number }
  | {
      readonly kind: 'sentinel';
      readonly tls: boolean;
      readonly sentinels: readonly RedisNode[];
      /** The name under which the sentinels know the group of servers. */
      readonly master: string;
      readonly database: number;
      readonly login: Login;
      readonly sentinelLogin: Login;
    }
  | {
      readonly kind: 'cluster';
      readonly tls: boolean;
      readonly nodes: readonly RedisNode[];
      readonly login: Login;
    };

const EXAMPLES =
  'redis://user:password@host:6379/0, redis+sentinel://user:password@host1:26379,host2:26379/mymaster or ' +
  'redis+cluster://user:password@host1:6379,host2:6379 (rediss for TLS)';

const PERCENT_ENCODED = '"@", "/", "?" and "#" of a password are written as %40, %2F, %3F and %23';

const GROUP_ADDRESS =
  /^(rediss?)\+(sentinel|cluster):\/\/(?:([^@/?#]*)@)?([^@/?#]*)(\/[^?#]*)?(?:\?([^#]*))?$/i;

const MAX_NODES = 32;
const MAX_ADDRESS_LENGTH = 8_192;
const SENTINEL_PORT = 26_379;
const CLUSTER_PORT = 6_379;

/**
 * Reads the value of REDIS_URL.
 * @returns the address, or a fault: the end of a sentence that begins with `REDIS_URL`. The fault
 *   contains nothing of the value, because the value contains passwords.
 */
export function parseRedisAddress(
  text: string,
): { readonly address: RedisAddress } | { readonly fault: string } {
  if (text.length > MAX_ADDRESS_LENGTH)
    return { fault: `must have at most ${MAX_ADDRESS_LENGTH} characters` };
  if (!/^rediss?\+/i.test(text)) return parseServer(text);
  const [, scheme, kind, login, hosts, path = '', query = ''] = GROUP_ADDRESS.exec(text) ?? [];
  if (scheme === undefined || kind === undefined || hosts === undefined) {
    return {
      fault: `must be an address such as ${EXAMPLES}; ${PERCENT_ENCODED}`,
    };
  }
  const isSentinel = kind.toLowerCase() === 'sentinel';
  const nodes = parseNodes(hosts, isSentinel ? SENTINEL_PORT : CLUSTER_PORT);
  if (!nodes)
    return {
      fault: `must name 1 to ${MAX_NODES} hosts, such as host1:${isSentinel ? SENTINEL_PORT : CLUSTER_PORT},host2, separated by commas`,
    };
  const parsedLogin = parseLogin(login);
  if (!parsedLogin) return NOT_DECODABLE;
  const common = { tls: scheme.toLowerCase() === 'rediss', login: parsedLogin };
  return isSentinel ? parseSentinel(common, nodes, path, query) : parseCluster(common, nodes, path, query);
}

const NOT_DECODABLE = { fault: 'must have user and password percent-encoded; a "%" is written as %25' };

function parseServer(text: string): ReturnType<typeof parseRedisAddress> {
  const url = URL.parse(text);
  const isAddress =
    url && /^rediss?:$/.test(url.protocol) && url.hostname !== '' && /^\/?\d{0,4}$/.test(url.pathname);
  // A "#" in a password ends the address there, and the text before it would become the host.
  if (!isAddress || url.hash !== '')
    return { fault: `must be an address such as ${EXAMPLES}; ${PERCENT_ENCODED}` };
  if (url.hostname.includes(',')) {
    return {
      fault:
        'must name one host; for several, use redis+sentinel://host1,host2/mymaster or redis+cluster://host1,host2',
    };
  }
  // The client uses every parameter as one of its options, and ignores unknown ones.
  if (!/^$|^\?family=[046]$/.test(url.search)) {
    return {
      fault: `must have no parameters but family=0, 4 or 6; the database is the path (/2), TLS is rediss://; ${PERCENT_ENCODED}`,
    };
  }
  // The client decodes both, and fails if that is not possible.
  if (!isDecodable(url.username) || !isDecodable(url.password)) return NOT_DECODABLE;
  return { address: { kind: 'server', url: text, database: Number(url.pathname.slice(1)) } };
}

function parseSentinel(
  common: { readonly tls: boolean; readonly login: Login },
  sentinels: readonly RedisNode[],
  path: string,
  query: string,
): ReturnType<typeof parseRedisAddress> {
  const [, master, database = '0'] = /^\/([\w.-]+)(?:\/(\d{1,4}))?\/?$/.exec(path) ?? [];
  if (master === undefined) {
    return {
      fault:
        'must name the group of servers after the hosts of the sentinels, such as /mymaster, or /mymaster/0 with a database',
    };
  }
  const parameters = new URLSearchParams(query);
  const names = [...parameters.keys()];
  const known = ['sentinelUsername', 'sentinelPassword'];
  if (names.some((name) => !known.includes(name)) || new Set(names).size < names.length) {
    return { fault: `must have no parameters but ${known.join(' and ')}, each at most once` };
  }
  const sentinelLogin = loginOf(parameters.get(known[0] ?? '') ?? '', parameters.get(known[1] ?? '') ?? '');
  return {
    address: { kind: 'sentinel', ...common, sentinels, master, database: Number(database), sentinelLogin },
  };
}

function parseCluster(
  common: { readonly tls: boolean; readonly login: Login },
  nodes: readonly RedisNode[],
  path: string,
  query: string,
): ReturnType<typeof parseRedisAddress> {
  if (!/^\/?0?$/.test(path)) return { fault: 'must end after the hosts: a cluster has only the database 0' };
  if (query !== '') return { fault: 'must have no parameters for a cluster' };
  return { address: { kind: 'cluster', ...common, nodes } };
}

function parseNodes(hosts: string, defaultPort: number): readonly RedisNode[] | undefined {
  const nodes: RedisNode[] = [];
  for (const entry of hosts.split(',').slice(0, MAX_NODES + 1)) {
    const [, bracketed, name, digits] = /^(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(entry) ?? [];
    const host = bracketed ?? name;
    const port = digits === undefined ? defaultPort : Number(digits);
    const isHost = host !== undefined && (bracketed === undefined || isIPv6(bracketed));
    if (!isHost || port < 1 || port > 65_535) return undefined;
    nodes.push({ host, port });
  }
  return nodes.length > MAX_NODES ? undefined : nodes;
}

/** `user:password`, `:password` or `user`; undefined if it cannot be decoded. */
function parseLogin(userinfo: string | undefined): Login | undefined {
  if (userinfo === undefined) return {};
  if (!isDecodable(userinfo)) return undefined;
  const [username = '', ...password] = userinfo.split(':');
  return loginOf(decodeURIComponent(username), decodeURIComponent(password.join(':')));
}

function loginOf(username: string, password: string): Login {
  return { ...(username !== '' && { username }), ...(password !== '' && { password }) };
}

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}
