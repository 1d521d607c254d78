import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/config.ts';
import { corsHeaderFault, originFault, trustedProxyFault } from '../../src/config/network-settings.ts';
import { NO_JSON_SCHEMA } from '../../src/http/no-json-schema.ts';

const ONE_ENTRY = 'must be one entry; separate entries with commas, without quotes or brackets';

describe('an entry of CORS_ORIGINS', () => {
  it.each([
    'https://a.example.com',
    'http://localhost:3000',
    'https://a.example.com:8443',
    'http://[::1]:5173',
    'https://xn--mller-kva.de',
    'http://192.168.1.20',
    'http://localhost:*',
    'http://127.0.0.1:*',
  ])('may be %s', (origin) => {
    expect(originFault(origin)).toBeUndefined();
  });

  it.each([
    ['https://a.example.com/', 'must be written as https://a.example.com'],
    ['https://a.example.com/path?q#f', 'must be written as https://a.example.com'],
    ['https://A.Example.com', 'must be written as https://a.example.com'],
    ['HTTPS://a.example.com', 'must be written as https://a.example.com'],
    ['https://a.example.com:443', 'must be written as https://a.example.com'],
    ['http://a.example.com:80', 'must be written as http://a.example.com'],
    ['https://user@a.example.com', 'must be written as https://a.example.com'],
    ['https://müller.de', 'must be written as https://xn--mller-kva.de'],
    ['a.example.com', 'must begin with the scheme, such as https://a.example.com'],
    ['localhost:5173', 'must begin with the scheme, such as http://localhost:5173'],
    ['*', 'must not contain "*"; list each origin, such as https://app.example.com'],
    ['https://*.example.com', 'must not contain "*"; list each origin, such as https://app.example.com'],
    ['https://localhost:*', 'must not contain "*"; list each origin, such as https://app.example.com'],
    ['http://localhost:*/', 'must not contain "*"; list each origin, such as https://app.example.com'],
    ['null', 'must not be "null", which every sandboxed page sends'],
    ['ftp://a.example.com', 'must be an http or https origin, such as https://app.example.com'],
    ['capacitor://localhost', 'must be an http or https origin, such as https://app.example.com'],
    ['https://', 'must be an http or https origin, such as https://app.example.com'],
    ['https://a b.example.com', ONE_ENTRY],
    ['https://a.example.com https://b.example.com', ONE_ENTRY],
    ['https://a.example.com;https://b.example.com', ONE_ENTRY],
    ['["https://a.example.com"]', ONE_ENTRY],
  ])('must not be %s', (origin, fault) => {
    expect(originFault(origin)).toBe(fault);
  });
});

describe('an entry of CORS_ALLOWED_HEADERS', () => {
  it.each(['X-Trace-Id', 'x-tenant', 'x_custom', 'b3', 'X-Datadog-Trace-Id'])('may be %s', (name) => {
    expect(corsHeaderFault(name)).toBeUndefined();
  });

  it.each([
    '*',
    'x-*',
    'X Trace',
    'X-Trace:',
    'X-Trace\r\nEvil: 1',
    'größe',
    '"x"',
    `x-${'a'.repeat(63)}`,
    'Cookie',
    'set-cookie',
    'Host',
    'origin',
    'Content-Length',
    'Sec-Fetch-Mode',
    'Proxy-Authorization',
    'Access-Control-Request-Method',
    'TE',
  ])('must not be %j', (name) => {
    expect(corsHeaderFault(name)).toMatch(/^must /);
  });
});

describe('an entry of TRUST_PROXY', () => {
  const ACCEPTED = [
    '10.0.0.0/8',
    '192.0.2.1',
    'fd00::/8',
    '::1',
    '::ffff:10.0.0.1',
    '10.0.0.0/255.0.0.0',
    'loopback',
    'linklocal',
    'uniquelocal',
  ];

  it.each(ACCEPTED)('may be %s, and Fastify accepts it', (entry) => {
    expect(trustedProxyFault(entry)).toBeUndefined();
    expect(() => fastify({ trustProxy: [entry], schemaController: NO_JSON_SCHEMA })).not.toThrow();
  });

  it.each([
    '10.0.0.0/33',
    '10.0.0/8',
    '::/129',
    '10.0.0.0/8/8',
    '10.0.0.0/',
    '10.0.0.0/255.0.255.0',
    '10.0.0.0/a',
    '10.0.0.0/-1',
    '0.0.0.0/0',
    '::/0',
    '0x7f.1',
    '010.0.0.1',
    '[::1]',
    '10.0.0.1:8080',
    'localhost',
    'LOOPBACK',
    'private',
    'constructor',
    'true',
    '1',
    '10',
    '*',
  ])('must not be %s', (entry) => {
    expect(trustedProxyFault(entry)).toMatch(
      /^must be an IP address, a CIDR range such as 10\.0\.0\.0\/8, or one of /,
    );
  });
});

it('names each wrong entry of a list, five at most, and not the right ones', () => {
  const env = { OSS_ACCESS_KEY_ID: 'id', OSS_ACCESS_KEY_SECRET: 'TheSecret' };
  const faultsOf = (more: Record<string, string>) => {
    const loaded = loadConfig({ ...env, ...more }, () => '');
    return 'faults' in loaded ? loaded.faults : [];
  };
  expect(
    faultsOf({
      CORS_ORIGINS: 'https://a.example.com, https://b.example.com/, c.example.com',
      CORS_ALLOWED_HEADERS: 'X-Tenant, Cookie',
      TRUST_PROXY: 'loopback,2',
    }),
  ).toStrictEqual([
    'CORS_ORIGINS "https://b.example.com/" must be written as https://b.example.com.',
    'CORS_ORIGINS "c.example.com" must begin with the scheme, such as https://c.example.com.',
    'CORS_ALLOWED_HEADERS "Cookie" must not be allowed: browsers never let a page set this header.',
    expect.stringMatching(/^TRUST_PROXY "2" must be an IP address, .*; "2" cannot stand for proxies/),
  ]);
  expect(faultsOf({ CORS_ORIGINS: Array(9).fill('x').join() })).toHaveLength(5);
  expect(faultsOf({ CORS_ALLOWED_HEADERS: Array(51).fill('x-a').join() })).toStrictEqual([
    'CORS_ALLOWED_HEADERS must have at most 50 entries.',
  ]);
});

it.each(['X-A X-B', 'X-A;X-B', '"X-A"'])('CORS_ALLOWED_HEADERS: %s is not one entry', (entry) => {
  expect(corsHeaderFault(entry)).toBe(ONE_ENTRY);
});

it.each(['10.0.0.1 10.0.0.2', '10.0.0.1;10.0.0.2', '["10.0.0.1"]'])(
  'TRUST_PROXY: %s is not one entry',
  (entry) => {
    expect(trustedProxyFault(entry)).toBe(ONE_ENTRY);
  },
);
