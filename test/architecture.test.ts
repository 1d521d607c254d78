import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const source = new URL('../src/', import.meta.url);
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/** What the files of a folder may import: other folders of src, packages, and with `type:` types only. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  storage: ['policy', 'node:crypto'],
  policy: [
    'node:crypto',
    'node:path',
    'type:config',
    'suggest',
    'json-text',
    'content-disposition',
    'text-file',
    'web-address',
    'zod',
    'yaml',
    'type:auth',
  ],
  auth: ['errors', 'clock', 'web-address', 'jose', 'node:crypto'],
  credentials: ['grants', 'errors', 'clock', 'node:fs/promises', 'node:path', '@alicloud/credentials'],
  limits: ['type:grants', 'node:crypto', 'node:net', 'ioredis'],
  metrics: ['prom-client', 'type:auth', 'type:service', 'type:log', 'type:grants'],
  grants: ['policy', 'storage', 'errors', 'json-text', 'suggest', 'zod', 'type:auth', 'type:clock'],
  http: [
    'type:clock',
    'log',
    'grants',
    'policy',
    'auth',
    'errors',
    'json-text',
    'suggest',
    'fastify',
    '@fastify/cors',
    'pino',
    'zod',
    'yaml',
    'type:node:net',
    'type:node:http',
    // The files of the page of /docs.
    ...['node:fs/promises', 'node:module', 'node:path', 'node:crypto', 'node:util', 'node:zlib'],
  ],
  emulator: ['node:*'],
  demo: ['*'],
  config: ['zod', 'node:net', 'credentials', 'limits', 'network-settings', 'suggest', 'text-file'],
  'network-settings': ['node:net', '@fastify/proxy-addr'],
  errors: ['type:policy'],
  clock: [],
  'json-text': [],
  suggest: ['leven'],
  'text-file': ['node:buffer'],
  'read-text-file': ['text-file', 'node:fs'],
  'web-address': ['node:net'],
  log: [
    'type:clock',
    'type:policy',
    'type:grants',
    'json-text',
    'pino',
    'node:fs',
    'node:net',
    'node:process',
  ],
  'unknown-variables': ['config', 'suggest'],
  service: ['*'],
  cli: [
    ...[
      'config',
      'policy',
      'grants',
      'auth',
      'limits',
      'credentials',
      'clock',
      'errors',
      'suggest',
      'unknown-variables',
      'main',
      'read-text-file',
      'text-file',
    ],
    ...['storage', 'http', 'node:util', 'node:fs', 'node:os', 'node:path', 'node:process'],
  ],
  main: ['*'],
};

const TAKES_EFFECTS_AS_ARGUMENTS = [
  'storage',
  'policy',
  'grants',
  'auth',
  'credentials',
  'limits',
  'errors',
  'json-text',
  'suggest',
  'web-address',
  'config',
  'network-settings',
  'unknown-variables',
  'http',
  'log',
  'metrics',
  'cli',
];

/** Where a process begins: it reads the environment and has the machine's own clock and network. */
const isProcessEdge = (file: string) => /^(main|cli\/main|emulator\/main|demo\/[a-z-]+)\.ts$/.test(file);

const roomOf = (path: string) => path.split('/')[0]?.replace(/\.ts$/, '') ?? '';

function importsOf(file: string): readonly { readonly from: string; readonly isType: boolean }[] {
  const code = readFileSync(new URL(file, source), 'utf8');
  return [
    ...code.matchAll(
      /^(?:import|export) (type )?[^;]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
    ),
  ].map(([, type, ...froms]) => {
    const from = froms.find((one) => one !== undefined) ?? '';
    const path = from.startsWith('.')
      ? new URL(from, new URL(file, source)).href.slice(source.href.length)
      : from;
    return { from: from.startsWith('.') ? roomOf(path) : path, isType: type !== undefined };
  });
}

describe.each(files)('%s', (file) => {
  const room = roomOf(file);
  const rules = ALLOWED[room];

  it('imports only what its folder may', () => {
    expect(rules, `src/${room} has no line in ALLOWED`).toBeDefined();
    const forbidden = importsOf(file).filter(({ from, isType }) => {
      const isAllowed = (rule: string) =>
        rule === '*' || rule === from || (rule.endsWith('*') && from.startsWith(rule.slice(0, -1)));
      return (
        from !== room &&
        !rules?.some(
          (rule) => isAllowed(rule) || (isType && rule.startsWith('type:') && isAllowed(rule.slice(5))),
        )
      );
    });
    expect(forbidden).toStrictEqual([]);
  });
});

const takesEffects = files.filter(
  (file) => TAKES_EFFECTS_AS_ARGUMENTS.includes(roomOf(file)) && !isProcessEdge(file),
);

describe.each(takesEffects)('%s', (file) => {
  it('takes time, randomness, network and environment as arguments', () => {
    const code = readFileSync(new URL(file, source), 'utf8');
    expect(code).not.toMatch(
      /Date\.now\(|new Date\(\)|Math\.random|process\.env|\brandom(Bytes|UUID)\(|globalThis\.fetch\(/,
    );
  });
});

it('nobody imports the process’s edge, but the command line, whose process becomes the service', () => {
  for (const file of files.filter((one) => one !== 'cli/main.ts')) {
    expect(
      importsOf(file).map(({ from }) => from),
      file,
    ).not.toContain('main');
  }
});

it('the environment is read by main and the entries of command line, demo and emulator alone', () => {
  const readers = files.filter((file) => readFileSync(new URL(file, source), 'utf8').includes('process.env'));
  expect(readers.filter((file) => !isProcessEdge(file))).toStrictEqual([]);
});
