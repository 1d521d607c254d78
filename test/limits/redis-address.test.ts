import { describe, expect, it } from 'vitest';
import { parseRedisAddress } from '../../src/limits/redis-address.ts';

const NO_LOGIN = { login: {}, tls: false };

it.each([
  ['redis://cache', 0],
  ['redis://cache:6379/', 0],
  ['rediss://u:p%20w@cache:6380/15', 15],
  ['redis://[::1]:6379/0', 0],
])('%s is one server', (url, database) => {
  expect(parseRedisAddress(url)).toStrictEqual({ address: { kind: 'server', url, database } });
});

describe('sentinels', () => {
  it.each([
    [
      'redis+sentinel://h1/mymaster',
      {
        ...NO_LOGIN,
        sentinels: [{ host: 'h1', port: 26_379 }],
        master: 'mymaster',
        database: 0,
        sentinelLogin: {},
      },
    ],
    [
      'rediss+sentinel://alice:p%40ss%2Cw@10.0.0.1:1,[fd00::1]:65535,h-3.example.com/my.master_1/12?sentinelUsername=bob&sentinelPassword=s%26p%20w',
      {
        tls: true,
        login: { username: 'alice', password: 'p@ss,w' },
        sentinels: [
          { host: '10.0.0.1', port: 1 },
          { host: 'fd00::1', port: 65_535 },
          { host: 'h-3.example.com', port: 26_379 },
        ],
        master: 'my.master_1',
        database: 12,
        sentinelLogin: { username: 'bob', password: 's&p w' },
      },
    ],
    [
      'redis+sentinel://:pa:ss@h1/m/?sentinelPassword=x',
      {
        tls: false,
        login: { password: 'pa:ss' },
        sentinels: [{ host: 'h1', port: 26_379 }],
        master: 'm',
        database: 0,
        sentinelLogin: { password: 'x' },
      },
    ],
  ])('%s', (url, expected) => {
    expect(parseRedisAddress(url)).toStrictEqual({ address: { kind: 'sentinel', ...expected } });
  });
});

it.each([
  ['redis+cluster://h1', { ...NO_LOGIN, nodes: [{ host: 'h1', port: 6_379 }] }],
  [
    'rediss+cluster://u:%3A%2F@h1:7000,h2/0',
    {
      tls: true,
      login: { username: 'u', password: ':/' },
      nodes: [
        { host: 'h1', port: 7_000 },
        { host: 'h2', port: 6_379 },
      ],
    },
  ],
])('%s is a cluster', (url, expected) => {
  expect(parseRedisAddress(url)).toStrictEqual({ address: { kind: 'cluster', ...expected } });
});

it.each([
  ['', /^must be an address such as redis:\/\/user/],
  ['http://TheSecret@cache:6379', /^must be an address such as/],
  ['cache:6379', /^must be an address such as/],
  ['redis://', /^must be an address such as/],
  ['redis://TheSecret@h1:6379,h2:6379', /^must be an address such as/],
  ['redis://:p@ss#TheSecret@cache:6379/0', /^must be an address such as .*"#" of a password .*%23$/],
  ['redis://cache:6379/0#TheSecret', /"#" of a password/],
  ['redis://:TheSecret@h1,h2', /^must name one host; for several, use redis\+sentinel/],
  ['redis://cache?db=2', /^must have no parameters but family=0, 4 or 6; the database is the path/],
  ['redis://cache:6379/0?tls=true', /TLS is rediss:\/\//],
  ['redis://cache?ssl_cert_reqs=none&password=TheSecret', /^must have no parameters/],
  ['redis://cache/abc', /^must be an address such as/],
  ['redis://cache/0/1', /^must be an address such as/],
  ['redis+http://:TheSecret@h1', /^must be an address such as/],
  ['redis+sentinel:h1', /^must be an address such as/],
  [
    'redis+sentinel://u:The@Secret@h1/m',
    /"@", "\/", "\?" and "#" of a password are written as %40, %2F, %3F and %23$/,
  ],
  ['redis+cluster://u:TheSecret#@h1', /%40, %2F, %3F and %23$/],
  ['redis://:TheSecret%zz@cache', /^must have user and password percent-encoded; a "%" is written as %25$/],
  ['redis+sentinel://:TheSecret%zz@h1/m', /^must have user and password percent-encoded/],
  ['redis+cluster://:TheSecret%ff@h1', /^must have user and password percent-encoded/],
  [
    'redis+sentinel://:TheSecret@/m',
    /^must name 1 to 32 hosts, such as host1:26379,host2, separated by commas$/,
  ],
  ['redis+sentinel://h1,/m', /^must name 1 to 32 hosts/],
  ['redis+sentinel://h1:0/m', /^must name 1 to 32 hosts/],
  ['redis+sentinel://h1:65536/m', /^must name 1 to 32 hosts/],
  ['redis+sentinel://h 1/m', /^must name 1 to 32 hosts/],
  ['redis+sentinel://[::z]/m', /^must name 1 to 32 hosts/],
  [`redis+cluster://${Array(33).fill('h').join()}`, /^must name 1 to 32 hosts, such as host1:6379,host2/],
  [
    'redis+sentinel://h1',
    /^must name the group of servers after the hosts of the sentinels, such as \/mymaster/,
  ],
  ['redis+sentinel://h1/', /^must name the group of servers/],
  ['redis+sentinel://h1/m/db', /^must name the group of servers/],
  ['redis+sentinel://h1/m/0/1', /^must name the group of servers/],
  [
    'redis+sentinel://h1/m?sentinelpassword=TheSecret',
    /^must have no parameters but sentinelUsername and sentinelPassword/,
  ],
  ['redis+sentinel://h1/m?password=TheSecret', /^must have no parameters but/],
  ['redis+sentinel://h1/m?sentinelPassword=TheSecret&sentinelPassword=b', /each at most once$/],
  ['redis+cluster://h1/1', /^must end after the hosts: a cluster has only the database 0$/],
  ['redis+cluster://h1?password=TheSecret', /^must have no parameters for a cluster$/],
  [`redis+cluster://${'h'.repeat(9_000)}`, /^must have at most 8192 characters$/],
])('%s is rejected with advice and without a secret', (url, fault) => {
  const parsed = parseRedisAddress(url);
  expect(parsed).toStrictEqual({ fault: expect.stringMatching(fault) });
  expect(JSON.stringify(parsed)).not.toMatch(/Secret/);
});
