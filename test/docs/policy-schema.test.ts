import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { ACTIONS } from '../../src/policy/actions.ts';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import { FIELD_ACTIONS, REQUIRED_FOR_UPLOADS } from '../../src/policy/file/rule-schema.ts';
import { codeBlocks, readDocument, root } from '../support/documents.ts';
import { createTestIssuer } from '../support/tokens.ts';

const SHIPPED = [
  'policy.example.yaml',
  'src/demo/policy.yaml',
  'deploy/kubernetes/base/policy.yaml',
  'deploy/kubernetes/overlays/example/policy.yaml',
];

const ENV = {
  DEMO_ISSUER: 'http://localhost:8090/',
  DEMO_JWKS_URL: 'http://localhost:8090/jwks',
  DEMO_OSS_ENDPOINT: 'http://localhost:9000',
  SUPABASE_JWT_SECRET: 'super-secret-jwt-token-with-at-least-32-characters',
  SECRET: 'fifty-two characters of which the service sees none.',
  TYPES: 'image/*,video/mp4',
  SIZE: '50MiB',
  COUNT: '60',
  YES: 'true',
  ACTIONS: 'download,confirm',
};

const schema = JSON.parse(readDocument('policy.schema.json'));
const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(schema);
const jwks = JSON.stringify(createTestIssuer().jwks);

const schemaAccepts = (policy: unknown) => validate(policy);
const serviceAccepts = (policy: unknown) =>
  'policy' in parsePolicy(stringify(policy), { env: ENV, readFile: () => jwks });

/** `${NAME}`, which the policy file replaces by the value of that environment variable. */
const placeholder = (name: string) => `\${${name}}`;

/** A rule without `upload` leaves these fields out. */
const NO_UPLOADS = { contentTypes: undefined, maxSize: undefined };

/** A policy with one issuer, target and rule, and changes to each. */
function policyWith({
  issuer = {},
  target = {},
  rule = {},
}: Partial<Record<'issuer' | 'target' | 'rule', Readonly<Record<string, unknown>>>> = {}) {
  return {
    issuers: [
      { issuer: 'https://login.example.com/', audience: 'uploads', jwksFile: 'jwks.json', ...issuer },
    ],
    targets: { media: { bucket: 'acme-media', region: 'cn-hangzhou', ...target } },
    rules: [
      {
        name: 'own-files',
        who: { scope: 'uploads:write' },
        target: 'media',
        prefix: 'users/{sub}/',
        contentTypes: ['image/*'],
        maxSize: '50MiB',
        ...rule,
      },
    ],
  };
}

describe('policy.schema.json', () => {
  it.each(SHIPPED)('accepts %s, which names it in its first line', (name) => {
    const text = readDocument(name);
    const [firstLine = ''] = text.split('\n');
    const [, path = ''] = /^# yaml-language-server: \$schema=(\S+)$/.exec(firstLine) ?? [];
    expect(new URL(path, new URL(name, root)).href).toBe(new URL('policy.schema.json', root).href);
    expect(validate(parse(text)) || validate.errors).toBe(true);
  });

  it.each(codeBlocks('docs/identity.md', 'yaml').concat(codeBlocks('docs/policy.md', 'yaml')))(
    'accepts the entries of the documents: %#',
    (entries) => {
      const { targets } = policyWith();
      expect(validate({ targets, ...parse(entries) }) || validate.errors).toBe(true);
    },
  );

  it.each(codeBlocks('docs/policy.md', 'yaml'))(
    'the service accepts the policy of docs/policy.md',
    (text) => {
      expect(parsePolicy(text, { env: {}, readFile: () => jwks })).toStrictEqual({
        policy: expect.objectContaining({ warnings: [] }),
      });
    },
  );

  it.each<[string, Parameters<typeof policyWith>[0]]>([
    ['the smallest policy', {}],
    ['a list of audiences', { issuer: { audience: ['uploads', 'media'] } }],
    ['a secret', { issuer: { jwksFile: undefined, secretEnv: 'SECRET', secretEncoding: 'utf8' } }],
    [
      'tenants in upper case',
      {
        issuer: {
          issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
          tenants: ['72F988BF-86F1-41AF-91AB-2D7CD011DB47'],
        },
      },
    ],
    ['seconds as a number', { issuer: { maxStale: 3600, clockTolerance: 0 } }],
    ['an address as endpoint', { target: { endpoint: 'https://upload.example.com/' } }],
    ['path style', { target: { endpoint: 'http://10.0.0.1:9000', pathStyle: true } }],
    ['bytes as a number', { rule: { maxSize: 1 } }],
    ['a size with a fraction and a blank', { rule: { maxSize: '1.5 GB' } }],
    ['no limit of the size', { rule: { maxSize: 'unlimited' } }],
    ['one duration', { rule: { expiresIn: '15m' } }],
    ['seconds', { rule: { expiresIn: { default: 60, max: 120 } } }],
    ['claims', { rule: { who: { claims: { '/org/team': ['eng-*', 7, true], role: 'admin' } } } }],
    ['headers in any case', { rule: { headers: { 'CACHE-control': 'no-store', 'X-Oss-Meta-A': 1 } } }],
    ['a turned off header', { rule: { headers: { 'content-disposition': 'none' } } }],
    ['downloads only', { rule: { actions: ['download'], inline: true, ...NO_UPLOADS } }],
    ['confirmation only', { rule: { actions: ['confirm'], ...NO_UPLOADS } }],
    ['actions from the environment', { rule: { actions: placeholder('ACTIONS'), ...NO_UPLOADS } }],
    ['a list from the environment', { rule: { contentTypes: placeholder('TYPES') } }],
    ['an element from the environment', { rule: { contentTypes: [placeholder('TYPES')] } }],
    ['a size from the environment', { rule: { maxSize: placeholder('SIZE') } }],
    ['a number from the environment', { rule: { limits: { requestsPerMinute: placeholder('COUNT') } } }],
    [
      'a boolean with a default',
      { rule: { overwrite: placeholder('UNSET:-false'), keepFilename: placeholder('YES') } },
    ],
  ])('accepts what the service accepts: %s', (_title, changes) => {
    const policy = parse(stringify(policyWith(changes)));
    expect(serviceAccepts(policy)).toBe(true);
    expect(validate(policy) || validate.errors).toBe(true);
  });

  it.each<[string, unknown]>([
    ['no issuers', { ...policyWith(), issuers: [] }],
    ['no targets', { ...policyWith(), targets: {} }],
    ['no rules', { ...policyWith(), rules: undefined }],
    ['an unknown part', { ...policyWith(), users: [] }],
    ['issuers from the environment', { ...policyWith(), issuers: placeholder('TYPES') }],
    ['an unknown field of an issuer', policyWith({ issuer: { jwksUri: 'https://login.example.com/' } })],
    ['no audience', policyWith({ issuer: { audience: undefined } })],
    ['an algorithm in lower case', policyWith({ issuer: { algorithms: ['rs256'] } })],
    ['two sources of keys', policyWith({ issuer: { jwksUrl: 'https://login.example.com/jwks' } })],
    ['a tenant that is no GUID', policyWith({ issuer: { tenants: ['acme'] } })],
    ['a duration in words', policyWith({ issuer: { maxStale: 'a day' } })],
    ['a target name with a blank', { ...policyWith(), targets: { 'my media': policyWith().targets.media } }],
    ['a bucket in upper case', policyWith({ target: { bucket: 'ACME' } })],
    ['a region with its prefix', policyWith({ target: { region: 'oss-cn-hangzhou' } })],
    ['an unknown endpoint', policyWith({ target: { endpoint: 'vpc' } })],
    ['an endpoint with a path', policyWith({ target: { endpoint: 'https://upload.example.com/a/b' } })],
    ['an upload without content types', policyWith({ rule: { contentTypes: undefined } })],
    ['a download with a maxSize', policyWith({ rule: { actions: ['download'], contentTypes: undefined } })],
    ['an unknown action', policyWith({ rule: { actions: ['delete'] } })],
    ['an unknown field of a rule', policyWith({ rule: { contentType: ['image/*'] } })],
    ['an empty who', policyWith({ rule: { who: {} } })],
    ['empty claims', policyWith({ rule: { who: { claims: {} } } })],
    ['a prefix that begins with a slash', policyWith({ rule: { prefix: '/users/{sub}/' } })],
    ['a prefix without a slash at its end', policyWith({ rule: { prefix: 'users/{sub}' } })],
    ['an unknown naming', policyWith({ rule: { naming: 'auto' } })],
    [
      'a content type with a parameter',
      policyWith({ rule: { contentTypes: ['text/plain; charset=utf-8'] } }),
    ],
    ['a content type as a text', policyWith({ rule: { contentTypes: 'image/png' } })],
    ['a size of 0', policyWith({ rule: { maxSize: 0 } })],
    ['a size without a known unit', policyWith({ rule: { maxSize: '50 megabytes' } })],
    ['a metadata name in upper case', policyWith({ rule: { metadata: { allowed: ['Album'] } } })],
    ['a boolean as a text', policyWith({ rule: { overwrite: 'yes' } })],
    ['an unknown client header', policyWith({ rule: { clientHeaders: ['Cache-Control'] } })],
    ['an unknown header', policyWith({ rule: { headers: { 'X-Amz-Acl': 'private' } } })],
    ['inline without actions', policyWith({ rule: { inline: true } })],
    ['a size without uploads', policyWith({ rule: { actions: ['download'], contentTypes: undefined } })],
    [
      'a lifetime of a URL in a rule that only confirms',
      policyWith({ rule: { actions: ['confirm'], expiresIn: '1h', ...NO_UPLOADS } }),
    ],
    ['a header with a list', policyWith({ rule: { headers: { 'Cache-Control': ['no-store'] } } })],
    ['no requests per minute', policyWith({ rule: { limits: { requestsPerMinute: 0 } } })],
    ['an unknown limit', policyWith({ rule: { limits: { requestsPerHour: 1 } } })],
  ])('rejects what the service rejects: %s', (_title, changed) => {
    const policy = parse(stringify(changed));
    expect(serviceAccepts(policy)).toBe(false);
    expect(schemaAccepts(policy)).toBe(false);
  });

  it('describes every field', () => {
    expect(fieldsWithoutDescription(schema, '')).toStrictEqual([]);
  });
});

type Schema = Readonly<Record<string, unknown>>;

function fieldsWithoutDescription(node: unknown, path: string): readonly string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties } = node as { readonly properties?: Readonly<Record<string, Schema>> };
  const own = Object.entries(properties ?? {})
    .filter(([, field]) => field.description === undefined && !/\.(?:headers|if)$/.test(path))
    .map(([name]) => `${path}.${name}`);
  const below = Object.entries(node).flatMap(([name, member]) =>
    fieldsWithoutDescription(member, `${path}.${name}`),
  );
  return [...own, ...below];
}

it('the reference in docs/policy.md has a row for every field of the schema', () => {
  const page = readFileSync(new URL('docs/policy.md', root), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| .* \| .* \| (.+) \|$/gm)];
  expect(rows.every(([, , meaning = '']) => meaning.endsWith('.'))).toBe(true);
  const names = rows.map(([, name]) => name);
  for (const name of ['issuer', 'jwksFile', 'endpoint', 'prefix', 'scope', 'max', 'required', 'bytesPerDay'])
    expect(names).toContain(name);
});

it('the table of actions in docs/policy.md names the fields of each', () => {
  const page = readDocument('docs/policy.md');
  const rowOf = (action: string) => new RegExp(`^\\| \`${action}\`.*$`, 'm').exec(page)?.[0] ?? '';
  for (const action of ACTIONS) expect(rowOf(action)).not.toBe('');
  for (const field of REQUIRED_FOR_UPLOADS) expect(rowOf('upload')).toContain(`\`${field}\``);
  const ofDownloads = Object.entries(FIELD_ACTIONS).filter(([, actions]) => actions.includes('download'));
  for (const [field] of ofDownloads) expect(rowOf('download')).toContain(`\`${field}\``);
  for (const [field, actions] of Object.entries(FIELD_ACTIONS)) {
    const described = actions.map((action) => `\`${action}\``).join(' and ');
    const row = new RegExp(`^\\| \`${field}\` .*$`, 'm').exec(page)?.[0] ?? '';
    expect(row).toMatch(new RegExp(`(?:For|Required for) ${described}\\. \\|$`));
  }
});
