import { KNOWN_REGIONS } from '../../storage/oss/regions.ts';
import { closestName } from '../../text/suggest.ts';
import type { ClaimReference } from '../claim-reference.ts';
import type { Rule } from '../policy.ts';
import { overlappingPrefixes, readPrefixes } from '../prefix-overlap.ts';
import { quote, shown } from './quote.ts';

/** The most warnings of one kind. More than that usually have one cause. */
const MAX_WARNINGS_OF_A_KIND = 20;

/** Claims that RFC 7519, OpenID Connect and common issuers define. All are written as here. */
const KNOWN_CLAIMS: readonly string[] = (
  'iss sub aud exp nbf iat jti azp nonce auth_time acr amr sid client_id scope scp roles role groups group permissions entitlements ' +
  'name given_name family_name middle_name nickname preferred_username profile picture website email email_verified gender birthdate ' +
  'zoneinfo locale phone_number phone_number_verified address updated_at tid oid upn unique_name appid idp realm_access resource_access ' +
  'username user_id uid tenant tenant_id org_id'
).split(' ');

/** Lists what a policy allows although it is likely a mistake, in one or two sentences each. */
export function policyWarnings(rules: readonly Rule[]): readonly string[] {
  return [
    ...regionWarnings(rules),
    ...scopeWarnings(rules),
    ...claimWarnings(rules),
    ...overlapWarnings(rules.filter(hasObjects)),
    ...readWarnings(rules.filter(hasObjects)),
  ];
}

/** Whether a rule is for objects of its callers. A rule that only confirms spans their folders. */
function hasObjects({ actions }: Rule): boolean {
  return actions.some((action) => action !== 'confirm');
}

function regionWarnings(rules: readonly Rule[]): readonly string[] {
  const targets = new Map(rules.map(({ target }) => [target.name, target]));
  const warnings = [...targets.values()]
    .filter(({ region }) => !KNOWN_REGIONS.includes(region))
    .map(({ name, region }) => {
      const closest = closestName(region, KNOWN_REGIONS);
      const hint = closest === undefined ? '' : `; did you mean "${closest}"?`;
      return `Target ${name}: the region "${region}" is not known to this version${hint || '.'} A new region works all the same.`;
    });
  return bounded(warnings, 'targets with an unknown region');
}

/** RFC 6749 3.3 allows both characters in a scope, but hardly any issuer uses them. */
function scopeWarnings(rules: readonly Rule[]): readonly string[] {
  const warnings = rules.flatMap(({ name, who }) =>
    (who.scope ?? []).flatMap((scope) => {
      const start = `Rule ${name}: the scope ${quote(scope)} is compared as it is written`;
      if (scope.includes('*')) return [`${start}; only values below claims can be patterns.`];
      return scope.includes(',')
        ? [`${start}, as one scope with a comma; write several as a list, or with blanks between them.`]
        : [];
    }),
  );
  return bounded([...new Set(warnings)], 'scopes with "*" or ","');
}

function claimWarnings(rules: readonly Rule[]): readonly string[] {
  const warnings = new Map<string, string>();
  for (const { name, who, prefix } of rules) {
    const claims = [
      ...(who.claims ?? []).map(({ claim }) => claim),
      ...prefix.parts.flatMap((part) => ('claim' in part ? [part.claim] : [])),
    ];
    for (const claim of claims) {
      const warning = claimWarning(claim);
      if (warning !== undefined && !warnings.has(claim.source))
        warnings.set(claim.source, `Rule ${name}: ${warning}`);
    }
  }
  return bounded([...warnings.values()], 'claims that tokens are not known to have');
}

function claimWarning({ source, path }: ClaimReference): string | undefined {
  const [claim] = path;
  const quoted = quote(source);
  const known = KNOWN_CLAIMS.find((name) => name.toLowerCase() === claim.toLowerCase());
  if (known !== undefined && known !== claim)
    return `no token is known to have the claim ${quoted}. Claim names are case-sensitive; did you mean "${known}"?`;
  if (source.startsWith('/') || !looksNested(claim)) return undefined;
  return (
    `the claim ${quoted} is looked up by this literal name. ` +
    `A nested claim is written "/${shown(claim.replaceAll('.', '/'))}"; "/${shown(claim)}" keeps the literal name without this warning.`
  );
}

/** Matches `realm_access.roles`, but neither `https://example.com/roles` nor `kubernetes.io`. */
function looksNested(claim: string): boolean {
  if (!/^[^./:]+(?:\.[^./:]+)+$/.test(claim)) return false;
  return !/\.(?:com|org|net|io|cn|dev|app|cloud|ai|co|de|uk|eu|gov|edu|internal|local)$/i.test(claim);
}

function overlapWarnings(rules: readonly Rule[]): readonly string[] {
  const overlaps = overlappingPrefixes(rules, MAX_WARNINGS_OF_A_KIND + 1).map(
    ({ bucket, first, second, when }) =>
      `Rules ${first.name} and ${second.name} can give different callers the same folder of bucket ${bucket}: ` +
      `${quote(first.prefix.source)} and ${quote(second.prefix.source)} meet if ${when}. ` +
      `Change a prefix, or set sharesPrefixWith: [${second.name}] in rule ${first.name} if this is meant.`,
  );
  return bounded(overlaps, 'rules whose prefixes can meet');
}

function readWarnings(rules: readonly Rule[]): readonly string[] {
  const readers = rules.filter(({ actions }) => actions.includes('download'));
  const read = readPrefixes(readers, rules, MAX_WARNINGS_OF_A_KIND + 1).map(
    ({ bucket, reader, owner }) =>
      `Callers of rule ${reader.name} download what is below the prefix of rule ${owner.name} in bucket ${bucket}: ` +
      `${quote(reader.prefix.source)} contains ${quote(owner.prefix.source)}. ` +
      `Change a prefix, or set sharesPrefixWith: [${owner.name}] in rule ${reader.name} if this is meant.`,
  );
  return bounded(read, 'rules whose prefixes are below that of a rule for downloads');
}

function bounded(warnings: readonly string[], what: string): readonly string[] {
  if (warnings.length <= MAX_WARNINGS_OF_A_KIND) return warnings;
  return [...warnings.slice(0, MAX_WARNINGS_OF_A_KIND), `There are more ${what}.`];
}
