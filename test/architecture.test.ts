import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const source = new URL('../src/', import.meta.url);
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((file) =>
  file.endsWith('.ts'),
);

/**
 * The imports that each folder or file of src may have: other folders and files, and packages. With
 * `type:`, only types. A nested folder with its own line does not belong to the outer one: `policy`
 * must not import `policy/file`.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  // The base, which knows nothing of the rest.
  clock: [],
  'generational-map': [],
  text: ['leven', 'node:buffer', 'node:fs'],
  net: ['node:net'],
  errors: [],
  health: [],
  // Decisions and signatures.
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
    'node:crypto',
    'node:path',
  ],
  storage: [],
  'storage/oss': [
    ...['storage', 'storage/oss/signing', 'net', 'text', 'zod'],
    // The client of a bucket.
    ...['type:clock', '@rgrove/parse-xml'],
  ],
  'storage/oss/signing': ['storage', 'storage/oss', 'node:crypto'],
  'storage/oss/callbacks': ['type:storage', 'clock', 'net', 'text', 'node:crypto'],
  // The shared part of grants knows no kind of grant. Its ports know no use case.
  grants: [
    ...['grants/ports', 'policy', 'storage', 'errors', 'text', 'type:auth', 'type:clock', 'zod'],
    ...['node:buffer', 'node:crypto'],
  ],
  'grants/ports': ['errors', 'type:node:crypto'],
  'grants/download': ['grants', 'grants/ports', 'policy', 'storage', 'type:auth', 'zod'],
  'grants/upload': [
    ...['grants', 'grants/callback', 'grants/multipart', 'policy', 'storage', 'text', 'zod'],
    ...['type:auth', 'type:clock', 'type:errors', 'type:grants/ports'],
  ],
  'grants/git-lfs': [
    ...['grants', 'grants/upload', 'grants/download', 'grants/completion', 'policy'],
    ...['type:storage', 'type:auth', 'type:errors', 'type:grants/ports'],
  ],
  'grants/multipart': ['grants', 'storage', 'zod'],
  'grants/callback': ['grants', 'grants/completion', 'policy', 'type:storage', 'errors', 'zod'],
  'grants/completion': [
    ...['grants', 'grants/multipart', 'policy', 'storage', 'errors', 'text', 'zod', 'jose'],
    ...['type:clock', 'type:grants/ports'],
  ],
  // The implementations of the ports. The policy file needs the type of an issuer too.
  'auth/issuer': [],
  auth: ['text', 'auth/issuer', 'errors', 'clock', 'generational-map', 'net', 'jose', 'node:crypto'],
  credentials: [
    'grants/ports',
    'clock',
    'text',
    'net',
    'node:fs/promises',
    'node:path',
    '@alicloud/credentials',
  ],
  'service-keys': ['type:grants/ports', 'text', 'type:clock', 'jose', 'node:crypto'],
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
  notifications: ['type:grants/ports', 'type:clock', 'log', 'net', 'text', 'node:crypto'],
  log: ['type:clock', 'text', 'pino', 'node:fs', 'node:net', 'node:process'],
  metrics: [
    'prom-client',
    'limits',
    'type:auth',
    'type:service-keys',
    'storage',
    'type:policy',
    'type:log',
    'grants/ports',
  ],
  config: [
    ...['credentials', 'limits', 'service-keys', 'storage/oss/callbacks', 'net', 'text', 'zod'],
    ...['@fastify/proxy-addr', 'type:node:crypto', 'node:net'],
  ],
  // The API.
  http: [
    ...[
      'log',
      'health',
      'grants',
      'grants/ports',
      'grants/upload',
      'grants/multipart',
      'grants/download',
      'grants/callback',
      'grants/completion',
      'grants/git-lfs',
      'policy',
      'auth',
      'errors',
      'text',
    ],
    ...['type:clock'],
    ...['fastify', '@fastify/cors', 'zod', 'yaml', 'type:node:net', 'type:node:http'],
    // For the page /docs.
    ...['node:fs/promises', 'node:module', 'node:path', 'node:crypto', 'node:util', 'node:zlib'],
  ],
  // The parts that connect everything, and the programs next to the service.
  service: ['*'],
  main: ['service', 'node:process'],
  cli: [
    ...[
      'config',
      'policy',
      'policy/file',
      'grants',
      'grants/upload',
      'grants/multipart',
      'grants/ports',
      'storage',
      'storage/oss',
      'auth',
      'auth/issuer',
      'limits',
      'service-keys',
    ],
    ...['type:clock', 'errors', 'net', 'text', 'type:health'],
    ...['node:util', 'node:fs', 'node:path', 'type:node:crypto'],
  ],
  // One of its commands runs the service in the same process.
  'cli/main': [
    'cli',
    'service',
    'clock',
    'credentials',
    'text',
    'type:config',
    'node:crypto',
    'node:os',
    'node:process',
  ],
  emulator: ['node:*', '@fastify/busboy', '@rgrove/parse-xml', 'content-disposition', 'image-size'],
  demo: ['*'],
};

/** The folders that decide and sign. Their modules have no state, and nothing in them waits for a timer. */
const PURE = [
  ...['text', 'net', 'errors', 'health', 'policy', 'policy/file', 'storage', 'storage/oss'],
  ...[
    'storage/oss/signing',
    'storage/oss/callbacks',
    'grants',
    'grants/ports',
    'grants/upload',
    'grants/download',
    'grants/multipart',
    'grants/completion',
    'grants/callback',
  ],
];

const TAKES_EFFECTS_AS_ARGUMENTS = [
  ...PURE,
  ...[
    'auth',
    'credentials',
    'service-keys',
    'limits',
    'notifications',
    'log',
    'metrics',
    'config',
    'http',
    'cli',
  ],
];

/** Measures the duration of a write, for which the log takes no monotonic clock as an argument. */
const MEASURES_DURATIONS = ['log/output.ts'];

/** Entry points. They read the environment and use the machine's clock and network. */
const isProcessEdge = (file: string) => /^(main|cli\/main|emulator\/main|demo\/[a-z-]+)\.ts$/.test(file);

/** The innermost folder or file of a path with a line in `ALLOWED`; otherwise the outermost folder. */
function unitOf(path: string): string {
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
    return { from: from.startsWith('.') ? unitOf(path) : path, isType: type !== undefined };
  });
}

describe.each(files)('%s', (file) => {
  const unit = unitOf(file);
  const rules = ALLOWED[unit];

  it('imports only what its folder may', () => {
    expect(rules, `src/${unit} has no line in ALLOWED`).toBeDefined();
    const forbidden = importsOf(file).filter(({ from, isType }) => {
      const isAllowed = (rule: string) =>
        rule === '*' || rule === from || (rule.endsWith('*') && from.startsWith(rule.slice(0, -1)));
      return (
        from !== unit &&
        !rules?.some(
          (rule) => isAllowed(rule) || (isType && rule.startsWith('type:') && isAllowed(rule.slice(5))),
        )
      );
    });
    expect(forbidden).toStrictEqual([]);
  });
});

it.each(Object.entries(ALLOWED))('%s lists no import that none of its files makes', (unit, rules) => {
  const made = files.filter((file) => unitOf(file) === unit).flatMap(importsOf);
  const unused = rules.filter((rule) => {
    if (rule.endsWith('*')) return false;
    const isTypeOnly = rule.startsWith('type:');
    return !made.some(({ from, isType }) => (isTypeOnly ? from === rule.slice(5) : from === rule && !isType));
  });
  expect(unused).toStrictEqual([]);
});

const takesEffects = files.filter(
  (file) => TAKES_EFFECTS_AS_ARGUMENTS.includes(unitOf(file)) && !isProcessEdge(file),
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

describe.each(files.filter((file) => PURE.includes(unitOf(file))))('%s', (file) => {
  it('keeps nothing from one call to the next', () => {
    expect(moduleState(codeOf(file))).toStrictEqual([]);
  });
});

// Only the network has time-outs.
describe.each(files.filter((file) => PURE.includes(unitOf(file)) && unitOf(file) !== 'net'))('%s', (file) => {
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
  // demo/dev.ts prints a shell command that extracts a field of a response.
  expect(makers.filter((file) => unitOf(file) !== 'log' && file !== 'demo/dev.ts')).toStrictEqual([]);
  expect(makers).toContain('log/request-line.ts');
});
