// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of the policy file look like template strings
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { parsePolicy } from '../../../src/policy/file/parse-policy.ts';
import { propertyRuns } from '../../support/property-runs.ts';

/** The shipped example, with further issuers, so that it has every field. */
const EXAMPLE = withAllFields(
  parse(readFileSync(new URL('../../../policy.example.yaml', import.meta.url), 'utf8')) as Fields,
);

function withAllFields({ issuers, ...others }: Fields): Fields {
  const more = [
    {
      issuer: 'https://login.microsoftonline.com/{tenantid}/v2.0',
      tenants: ['11111111-2222-3333-4444-555555555555'],
      audience: ['uploads', 'photos'],
      audienceClaim: 'azp',
      maxStale: '24h',
      clockTolerance: '30s',
      insecureHttp: false,
    },
    { issuer: 'https://b.example/', audience: 'b', secretEnv: 'TOKEN_SECRET', secretEncoding: 'utf8' },
  ];
  return { ...others, issuers: [...(issuers as readonly unknown[]), ...more] };
}

/** A value of the environment that no message may show. */
const SECRET = 'Value-0f-The-Environment';

type Path = readonly (string | number)[];

/** The paths of all fields and elements. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const steps = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const inner = steps.flatMap((step) =>
    pathsOf((value as Record<string | number, unknown>)[step], [...path, step]),
  );
  return [...(path.length > 0 ? [path] : []), ...inner];
}

const PATHS = pathsOf(EXAMPLE);

type Fields = Record<string | number, unknown>;

/** The object with the last step of a path; undefined if the policy no longer has it. */
function parentOf(policy: unknown, path: Path): Fields | undefined {
  let parent = policy;
  for (const step of path.slice(0, -1)) parent = (parent as Fields | null | undefined)?.[step];
  const isThere = typeof parent === 'object' && parent !== null && Object.hasOwn(parent, path.at(-1) ?? '');
  return isThere ? (parent as Fields) : undefined;
}

/** The policy in which the result of `change` replaces the value at a path; undefined removes it. */
function changed(policy: Fields, path: Path, change: (value: unknown) => unknown): Fields {
  const copy = structuredClone(policy);
  const parent = parentOf(copy, path);
  if (!parent) return policy;
  const last = path.at(-1) ?? '';
  const value = change(parent[last]);
  if (value !== undefined) parent[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy;
}

/** The policy with the name of the field at a path replaced. */
function renamed(policy: Fields, path: Path, rename: (name: string) => string): Fields {
  const last = path.at(-1);
  if (typeof last !== 'string') return policy;
  const value = parentOf(policy, path)?.[last];
  const copy = changed(policy, path, () => undefined);
  const parent =
    path.length === 1
      ? copy
      : path.slice(0, -1).reduce<unknown>((at, step) => (at as Fields | null)?.[step], copy);
  if (typeof parent === 'object' && parent !== null) (parent as Fields)[rename(last)] = value;
  return copy;
}

const huge = 'x'.repeat(5000);

const DAMAGES: Readonly<Record<string, (policy: Fields, path: Path) => Fields>> = {
  missing: (policy, path) => changed(policy, path, () => undefined),
  'no value': (policy, path) => changed(policy, path, () => null),
  'an empty text': (policy, path) => changed(policy, path, () => ''),
  blanks: (policy, path) => changed(policy, path, () => '   '),
  'an empty list': (policy, path) => changed(policy, path, () => []),
  'an empty mapping': (policy, path) => changed(policy, path, () => ({})),
  'a number': (policy, path) => changed(policy, path, () => 7),
  'a negative number': (policy, path) => changed(policy, path, () => -1),
  'a fraction': (policy, path) => changed(policy, path, () => 1.5),
  'a huge number': (policy, path) => changed(policy, path, () => 1e300),
  true: (policy, path) => changed(policy, path, () => true),
  'a text': (policy, path) => changed(policy, path, () => 'something else'),
  'a huge text': (policy, path) => changed(policy, path, () => huge),
  'control characters': (policy, path) => changed(policy, path, () => 'a\u0007b\u2028c\u202ed\n'),
  'a list around it': (policy, path) => changed(policy, path, (value) => [value]),
  'a list in a list': (policy, path) => changed(policy, path, (value) => [[value], null, {}]),
  'a mapping around it': (policy, path) => changed(policy, path, (value) => ({ value })),
  'the first element': (policy, path) =>
    changed(policy, path, (value) => (Array.isArray(value) ? value[0] : value)),
  'upper case': (policy, path) =>
    changed(policy, path, (value) => (typeof value === 'string' ? value.toUpperCase() : value)),
  'a typing mistake': (policy, path) =>
    changed(policy, path, (value) => (typeof value === 'string' ? `${value}x` : value)),
  'a value of the environment': (policy, path) => changed(policy, path, () => '${SECRET}'),
  'a value of the environment in a list': (policy, path) => changed(policy, path, () => ['${SECRET}']),
  'a part from the environment': (policy, path) =>
    changed(policy, path, (value) => (typeof value === 'string' ? `${value}\${SECRET}` : value)),
  'an address with a host from the environment': (policy, path) =>
    changed(policy, path, () => 'http://${SECRET}.example.com/'),
  'a variable that is not set': (policy, path) => changed(policy, path, () => '${NOT_SET}'),
  'a name with a typing mistake': (policy, path) => renamed(policy, path, (name) => `${name}s`),
  'a name in upper case': (policy, path) => renamed(policy, path, (name) => name.toUpperCase()),
  'a huge name': (policy, path) => renamed(policy, path, () => huge),
  'a name with a line break': (policy, path) => renamed(policy, path, (name) => `${name}\n\u202e\u001b[31m`),
  'a name from the environment': (policy, path) => renamed(policy, path, () => '${SECRET}'),
  'an empty name': (policy, path) => renamed(policy, path, () => ''),
};

/** Words of zod and JavaScript, which mean nothing to an operator. */
const FOREIGN_WORDS =
  /Invalid (?:input|option|string|key|element|value)|Too (?:small|big)|expected |received |Unrecognized|\bundefined\b|\bNaN\b|\bnull\b|\[object|\barray\b|\bstring\b|\bboolean\b|\brecord\b|not valid$/;

function faultsOf(policy: unknown) {
  const parsed = parsePolicy(stringify(policy), {
    env: { SECRET, TOKEN_SECRET: 'token-secret-of-more-than-32-bytes-in-all' },
    readFile: () => '{"keys":[]}',
  });
  return 'faults' in parsed ? parsed.faults : [];
}

const damage = fc.record({
  path: fc.constantFrom(...PATHS),
  kind: fc.constantFrom(...Object.keys(DAMAGES)),
});

it('is a good policy before it is damaged', () => {
  expect(faultsOf(EXAMPLE)).toStrictEqual([]);
});

function expectPlainFaults(policy: unknown, what: string): number {
  const faults = faultsOf(policy);
  for (const { line, path, detail } of faults) {
    const message = `${path} ${detail}`;
    expect(message.length, `${what}: ${message}`).toBeLessThan(300);
    expect(message, what).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
    expect(message.toLowerCase(), what).not.toContain(SECRET.toLowerCase());
    expect(detail, what).not.toMatch(FOREIGN_WORDS);
    expect(detail, what).not.toMatch(/^$|\.$|\.\./);
    expect(line, what).toBeGreaterThan(0);
  }
  return faults.length;
}

it('each fault of a damaged policy is one short line in our own words, and holds no value of the environment', () => {
  let damaged = 0;
  fc.assert(
    fc.property(fc.array(damage, { minLength: 1, maxLength: 2 }), (damages) => {
      const policy = damages.reduce(
        (before, { path, kind }) => DAMAGES[kind]?.(before, path) ?? before,
        EXAMPLE,
      );
      if (expectPlainFaults(policy, JSON.stringify(damages)) > 0) damaged++;
    }),
    { numRuns: propertyRuns(2000), seed: 15 },
  );
  expect(damaged).toBeGreaterThan(propertyRuns(2000) / 2);
});

it.each(['issuers', 'targets', 'rules'])('damage to %s as a whole is reported', (field) => {
  for (const [kind, apply] of Object.entries(DAMAGES)) {
    const policy = apply(EXAMPLE, [field]);
    if (stringify(policy) === stringify(EXAMPLE)) continue;
    expect(expectPlainFaults(policy, kind), kind).toBeGreaterThan(0);
  }
});
