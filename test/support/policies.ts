import { stringify } from 'yaml';

/** Fields of the policy file, as people write them. */
export type Fields = Readonly<Record<string, unknown>>;

/** The issuer of `createTestIssuer`, whose keys are in `jwks.json`. An undefined field is left out. */
export function testIssuerEntry(fields: Fields = {}): Fields {
  return {
    issuer: 'https://login.test/',
    audience: 'uploads',
    jwksFile: 'jwks.json',
    algorithms: ['ES256'],
    ...fields,
  };
}

/** The target that the rule `own-files` names. */
export function mediaTarget(fields: Fields = {}): Fields {
  return { bucket: 'acme-media', region: 'cn-hangzhou', ...fields };
}

/** A rule by which callers with the scope `uploads:write` upload below a prefix of their own. */
export function ownFilesRule(fields: Fields = {}): Fields {
  return {
    name: 'own-files',
    who: { scope: 'uploads:write' },
    target: 'media',
    prefix: 'users/{sub}/',
    contentTypes: ['image/*', 'text/plain'],
    maxSize: '1MiB',
    expiresIn: { default: '10m', max: '1h' },
    metadata: { allowed: ['album'] },
    clientHeaders: ['cacheControl'],
    ...fields,
  };
}

/** The text of a policy file; without arguments, the policy that most tests use. */
export function policyWith({
  issuers = [testIssuerEntry()],
  targets = { media: mediaTarget() },
  rules = [ownFilesRule()],
}: {
  readonly issuers?: readonly Fields[];
  readonly targets?: Readonly<Record<string, Fields>>;
  readonly rules?: readonly Fields[];
} = {}): string {
  // The policy file may hold no aliases, which `stringify` would write for an object that occurs twice.
  return stringify({ issuers, targets, rules }, { aliasDuplicateObjects: false, lineWidth: 0 });
}
