import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const source = new URL('../src/', import.meta.url);
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/**
 * What the files of a folder may import: other folders and files of src, packages, and with `type:` types only. A folder
 * within a folder that has a line of its own is a folder of its own: `policy` may not import `policy/file`.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // The ground: these know nothing of the rest.
  clock: [],
  'generational-map': [],
  text: ['leven', 'node:buffer', 'node:fs'],
  net: ['type:clock', 'node:net'],
  errors: [],
  health: [],
  // What the service decides and signs.
  policy: [
    'storage',
    'text',
    'type:errors',
    'content-disposition',
    'type:auth',
    'type:auth/issuer',
    'type:storage/oss',
  ],
  'policy/file': [
    'policy',
    'storage',
    'storage/oss',
    'text',
    'net',
    'zod',
    'yaml',
    'auth/issuer',
    'type:auth',
    'node:crypto',
    'node:path',
  ],
  storage: [],
  'storage/oss': ['storage', 'storage/oss/signing', 'net', 'text', 'zod'],
  'storage/oss/signing': ['storage', 'storage/oss', 'node:crypto'],
  // What every kind of grant shares knows no kind. What it needs from outside knows no use case.
  grants: ['grants/ports', 'policy', 'storage', 'errors', 'text', 'type:auth', 'type:clock'],
  'grants/ports': ['errors'],
  'grants/upload': ['grants', 'policy', 'storage', 'errors', 'text', 'zod'],
  // What it needs for that.
  // What an issuer is, which the policy file needs to know as well.
  'auth/issuer': [],
  auth: ['auth/issuer', 'errors', 'clock', 'generational-map', 'net', 'jose', 'node:crypto'],
  credentials: [
    'grants/ports',
    'errors',
    'clock',
    'text',
    'net',
    'node:fs/promises',
    'node:path',
    '@alicloud/credentials',
  ],
  limits: [
    'grants/ports',
    'generational-map',
    'net',
    'node:crypto',
    'type:node:dns',
    'node:dns/promises',
    'node:net',
    'node:tls',
    'ioredis',
  ],
  log: ['type:clock', 'text', 'pino', 'node:fs', 'node:net', 'node:process'],
  metrics: ['prom-client', 'limits', 'type:auth', 'type:policy', 'type:log', 'type:grants/ports'],
  config: ['credentials', 'limits', 'text', 'zod', '@fastify/proxy-addr', 'node:net'],
  // What callers see.
  http: [
    ...['log', 'health', 'type:grants', 'grants/ports', 'grants/upload', 'policy', 'auth', 'errors', 'text'],
    ...['type:clock'],
    ...['fastify', '@fastify/cors', 'pino', 'zod', 'yaml', 'type:node:net', 'type:node:http'],
    // The files of the page of /docs.
    ...['node:fs/promises', 'node:module', 'node:path', 'node:crypto', 'node:util', 'node:zlib'],
  ],
  // What brings all of it together, and what stands beside it.
  service: ['*'],
  main: ['service', 'node:process'],
  cli: [
    ...[
      'config',
      'policy',
      'policy/file',
      'grants',
      'grants/upload',
      'grants/ports',
      'storage',
      'storage/oss',
      'auth',
      'auth/issuer',
      'limits',
      'credentials',
    ],
    ...['clock', 'errors', 'net', 'text', 'health'],
    ...['node:util', 'node:fs', 'node:path'],
  ],
  // Its process becomes the service for one of the commands.
  'cli/main': ['cli', 'service', 'clock', 'credentials', 'text', 'type:config', 'node:os', 'node:process'],
  emulator: ['node:*'],
  demo: ['*'],
};

/** The folders that decide and sign. Their modules have no state, and nothing in them waits for a timer. */
const PURE = [
  ...['text', 'net', 'errors', 'health', 'policy', 'policy/file', 'storage', 'storage/oss'],
  ...['storage/oss/signing', 'grants', 'grants/ports', 'grants/upload'],
];

const TAKES_EFFECTS_AS_ARGUMENTS = [
  ...PURE,
  ...['auth', 'credentials', 'limits', 'log', 'metrics', 'config', 'http', 'cli'],
];

/** How long a write takes is measured where it is made; the log has no other clock that never goes back. */
const MEASURES_DURATIONS = ['log/output.ts'];

/** Where a process begins: it reads the environment and has the machine's own clock and network. */
const isProcessEdge = (file: string) => /^(main|cli\/main|emulator\/main|demo\/[a-z-]+)\.ts$/.test(file);

/** The innermost folder or file of a path that has a line in `ALLOWED`; else the outermost folder. */
function roomOf(path: string): string {
  const parts = path.replace(/\.ts$/, '').split('/');
  const inwards = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  return inwards.findLast((folder) => folder in ALLOWED) ?? parts[0] ?? '';
}

/** The text of a file without its comments. */
function codeOf(file: string): string {
  return readFileSync(new URL(file, source), 'utf8').replaceAll(/^ *\/\*[\s\S]*?\*\/|^ *\/\/.*$/gm, '');
}

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
    const code = codeOf(file);
    expect(code).not.toMatch(/Date\.now\(|new Date\(\)|process\.hrtime/);
    expect(code).not.toMatch(
      /Math\.random|\brandom(Bytes|UUID|UUIDv7|Int|Fill|FillSync)\(|getRandomValues\(/,
    );
    expect(code).not.toMatch(/process\.env|globalThis\.fetch\(/);
    if (!MEASURES_DURATIONS.includes(file)) expect(code).not.toContain('performance.now(');
  });
});

describe.each(files.filter((file) => PURE.includes(roomOf(file))))('%s', (file) => {
  it('keeps nothing from one call to the next', () => {
    expect(moduleState(codeOf(file))).toStrictEqual([]);
  });
});

// Only the network has time-outs.
describe.each(files.filter((file) => PURE.includes(roomOf(file)) && roomOf(file) !== 'net'))('%s', (file) => {
  it('waits for no timer', () => {
    expect(codeOf(file)).not.toMatch(/\bset(Timeout|Interval|Immediate)\(|AbortSignal\.timeout\(/);
  });
});

it.each([
  ['let count = 0;', 'let count'],
  ['export let last: Date | undefined;', 'export let last'],
  ['const kept = new Map<string, string>();', 'const kept = new Map'],
  ['export const seen = new Set();', 'export const seen = new Set'],
  ['const key = new SigningKey(secret, scope);', 'const key = new SigningKey'],
  ['const bucket = createBucket();', 'const bucket = createBucket'],
  ['const names: string[] = [];\nfunction add() {\n  names.push("a");\n}', 'names.push('],
  ['const last = { text: "" };\nfunction set() {\n  last.text = "a";\n}', 'last.text ='],
  ['const counts = {};\nfunction add(name) {\n  counts[name] += 1;\n}', 'counts[name] +='],
  ['const WORD = /a+/g;\nconst isWord = (text) => WORD.test(text);', 'WORD.test('],
  ['class Counter {\n  static count = 0;\n}', 'static count'],
])('the check for state finds %j', (code, found) => {
  expect(moduleState(code)).toStrictEqual([found]);
});

it.each([
  'const NAMES: ReadonlySet<string> = new Set(["a"]);',
  'const WORD = /a+/g;\nconst words = (text) => text.replaceAll(WORD, "");',
  'const NAMES = ["a"];\nconst isName = (name) => NAMES.includes(name) && NAMES[0] === name;',
  'function count() {\n  let sum = 0;\n  const all = new Map();\n  all.set("a", 1);\n}',
])('the check for state accepts %j', (code) => {
  expect(moduleState(code)).toStrictEqual([]);
});

/** State that a module has: variables, objects that can change, and constants that the module changes. */
function moduleState(code: string): readonly string[] {
  const variables = code.matchAll(/^(?:export )?(?:let|var) \w+|^ +(static (?!readonly)#?\w+) *[=:]/gm);
  const objects = code.matchAll(
    /^(?:export )?const \w+(?:: (?!Readonly)[^=]+)? = (?:new \w+|create[A-Z]\w*)/gm,
  );
  const constants = [...code.matchAll(/^(?:export )?const (\w+)(?:: [^=]+)? = (\/.*\/[a-z]*[gy][a-z]*;)?/gm)];
  const changes = constants.flatMap(([, name = '', globalPattern]) => [
    ...code.matchAll(
      new RegExp(`^ .*?\\b(${name}(?:\\.\\w+|\\[[^\\]]+\\])+ (?:[-+*/|&?]{0,2}=)(?!=|>))`, 'gm'),
    ),
    ...code.matchAll(
      new RegExp(
        `\\b(${name}\\.(?:push|pop|shift|unshift|splice|sort|reverse|fill|set|add|delete|clear)\\()`,
        'g',
      ),
    ),
    ...(globalPattern ? code.matchAll(new RegExp(`\\b(${name}\\.(?:test|exec)\\()`, 'g')) : []),
  ]);
  return [...variables, ...objects, ...changes].map(([found, part]) => part ?? found);
}

it('imports main, the start of the process, nowhere', () => {
  const importers = files.filter((file) => importsOf(file).some(({ from }) => from === 'main'));
  expect(importers).toStrictEqual([]);
});

it('reads the environment in the files that start a process, and nowhere else', () => {
  const readers = files.filter((file) => readFileSync(new URL(file, source), 'utf8').includes('process.env'));
  expect(readers.filter((file) => !isProcessEdge(file))).toStrictEqual([]);
});

it('builds JSON from pieces of text in src/log, and nowhere else', () => {
  // A property whose value is text in quotation marks, or comes from a template: ,"name":"…" or "name":${…}
  const jsonProperty = /"\w+":(?:"|\$\{|\[|\{)/;
  const makers = files.filter((file) => jsonProperty.test(readFileSync(new URL(file, source), 'utf8')));
  // It prints a shell command that takes a field out of a response.
  expect(makers.filter((file) => roomOf(file) !== 'log' && file !== 'demo/dev.ts')).toStrictEqual([]);
  expect(makers).toContain('log/request-line.ts');
});
