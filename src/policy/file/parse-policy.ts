import { type IssuerConfig, MULTI_TENANT_ISSUER, TENANT_PLACEHOLDER } from '../../auth/issuer.ts';
import { webAddressFault } from '../../net/web-address.ts';
import { withClosestBounds } from '../../text/closest-bounds.ts';
import { closestName } from '../../text/suggest.ts';
import { ACTIONS, type Action } from '../actions.ts';
import { metadataBytes } from '../metadata-size.ts';
import type { Policy } from '../policy.ts';
import { describeIssue, type ReportFault, reportIssue } from './issue-faults.ts';
import { issuerKeys } from './issuer-keys.ts';
import { type PolicySources, readNamedSecret } from './named-secret.ts';
import { decodeNotifySecrets } from './notify-schema.ts';
import { type PolicyDocument, type PolicyFault, readPolicyDocument } from './policy-document.ts';
import { type IssuerEntry, type PolicyFile, policySchema, type RuleEntry } from './policy-schema.ts';
import { policyWarnings } from './policy-warnings.ts';
import { quote, shown } from './quote.ts';
import { metadataOfHeaders, signedHeaders } from './rule-headers.ts';
import { FIELD_ACTIONS, MULTIPART_FIELDS, REQUIRED_FOR_UPLOADS } from './rule-schema.ts';
import { fitToSchema } from './schema-walk.ts';
import { tokenIssuers } from './token-issuers.ts';

const DEFAULT_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];

/**
 * Reads a policy file and checks it whole.
 * @returns the policy, or every fault with its line and path. It throws for no content of the file,
 *   and no fault contains the value of an environment variable.
 */
export function parsePolicy(
  text: string,
  sources: PolicySources,
): { readonly policy: Policy } | { readonly faults: readonly PolicyFault[] } {
  const document = readPolicyDocument(text, sources.env);
  if (document.content === undefined) return { faults: bounded(document.faults) };
  const content = fitToSchema(document.content, policySchema);
  const faults: PolicyFault[] = [...document.faults];
  const fault: ReportFault = (path, detail, about) => {
    const found = document.faultAt(path, detail, about);
    if (found) faults.push(found);
  };

  const parsed = policySchema.safeParse(content, { error: describeIssue });
  for (const issue of withClosestBounds(parsed.error?.issues ?? []))
    reportIssue(issue, policySchema, document.writtenText, fault);
  checkReferences(content, document, fault);
  const issuers = issuersOf(content).map((entry, index) =>
    issuerKeys(
      entry,
      sources,
      (field, detail) => fault(['issuers', index, field], detail),
      (field) => shown(document.writtenText(['issuers', index, field]) ?? ''),
    ),
  );
  const notifySecrets = asList(asRecord(content).rules).map((rule, index) => {
    const at = (field: string) => ['rules', index, 'notify', field];
    return readNamedSecret(
      asRecord(asRecord(rule).notify),
      sources,
      (field, detail) => fault(at(field), detail),
      (field) => shown(document.writtenText(at(field)) ?? ''),
      decodeNotifySecrets,
    );
  });
  if (!parsed.success || faults.length > 0) return { faults: bounded(faults) };
  return { policy: compilePolicy(parsed.data, issuers, notifySecrets) };
}

/** The most faults that are reported. More than that usually have one cause. */
const MAX_FAULTS = 50;

/** Returns the faults in the order of the file, each once, and at most {@link MAX_FAULTS}. */
function bounded(faults: readonly PolicyFault[]): readonly PolicyFault[] {
  const distinct = new Map(faults.map((fault) => [`${fault.line} ${fault.path} ${fault.detail}`, fault]));
  const sorted = [...distinct.values()].sort((a, b) => a.line - b.line);
  const [firstLeftOut] = sorted.slice(MAX_FAULTS);
  if (!firstLeftOut) return sorted;
  const detail = `${sorted.length - MAX_FAULTS} more faults from here on`;
  return [...sorted.slice(0, MAX_FAULTS), { line: firstLeftOut.line, path: '', detail }];
}

type IssuerKeySources = Pick<IssuerConfig, 'keys' | 'secret'>;

/**
 * Checks the references between parts of the file. It accepts a file with other faults, so that all
 * are reported together.
 */
function checkReferences(content: unknown, document: PolicyDocument, fault: ReportFault): void {
  const targets = Object.keys(asRecord(asRecord(content).targets));
  const entries = issuersOf(content).map((entry) => entry.issuer);
  const issuers = issuersOf(content).map(tokenIssuers);
  const rules = asList(asRecord(content).rules).map(asRecord);
  const written = (path: readonly PropertyKey[]): string => document.writtenText(path) ?? '';

  for (const [index, rule] of rules.entries())
    checkActions(rule, (field, detail) => fault(['rules', index, ...field], detail));

  const seen = new Set<string>();
  for (const [index, names] of issuers.entries()) {
    const repeated = [...new Set(names)].find((name) => seen.has(name));
    if (repeated !== undefined)
      fault(
        ['issuers', index, 'issuer'],
        // The message must not show a value of the environment. The issuers of tenants are public.
        repeated.startsWith('https://login.microsoftonline.com/')
          ? `is used twice: two entries would accept tokens of ${repeated}`
          : 'is used twice',
      );
    for (const name of names) seen.add(name);
  }
  const knownTargets = document.writtenKeys(['targets']);
  const knownIssuers = issuers.map((_issuer, index) => written(['issuers', index, 'issuer']));
  const knownRules = rules.map((_rule, index) => written(['rules', index, 'name']));
  const names = new Set<unknown>();
  for (const { name } of rules) names.add(name);
  const seenNames = new Set<unknown>();
  for (const [index, rule] of rules.entries()) {
    const at = (...steps: PropertyKey[]) => ['rules', index, ...steps];
    if (rule.name !== undefined && seenNames.has(rule.name)) fault(at('name'), 'is used twice');
    seenNames.add(rule.name);
    // If no target could be read, every name would be unknown.
    if (typeof rule.target === 'string' && knownTargets.length > 0 && !targets.includes(rule.target))
      fault(at('target'), unknownName('target', written(at('target')), knownTargets));
    const { issuer } = asRecord(rule.who);
    if (typeof issuer === 'string' && !seen.has(issuer) && !entries.includes(issuer))
      fault(at('who', 'issuer'), unknownName('issuer', written(at('who', 'issuer')), knownIssuers));
    for (const [entry, other] of asList(rule.sharesPrefixWith).entries()) {
      if (typeof other !== 'string') continue;
      const place = at('sharesPrefixWith', entry);
      if (other === rule.name) fault(place, 'names its own rule');
      else if (!names.has(other)) fault(place, unknownName('rule', written(place), knownRules));
    }
  }
}

/**
 * Checks that a rule has the fields that its actions need, and none that mean nothing for them. A
 * field without a meaning is likely a mistake about what the rule allows.
 */
function checkActions(
  rule: Readonly<Record<string, unknown>>,
  report: (field: readonly string[], detail: string) => void,
): void {
  const actions: readonly unknown[] = rule.actions === undefined ? ['upload'] : asList(rule.actions);
  const isOne = (action: unknown): action is Action => ACTIONS.some((one) => one === action);
  if (actions.length === 0 || !actions.every(isOne)) return;
  const uploads = actions.includes('upload');
  const meansNothing = (needed: readonly Action[]) =>
    `means nothing without ${needed.join(' or ')} in actions; leave it out`;
  for (const field of REQUIRED_FOR_UPLOADS)
    if (uploads && rule[field] === undefined) report([field], 'is missing');
  for (const [field, needed] of Object.entries(FIELD_ACTIONS))
    if (rule[field] !== undefined && !needed.some((action) => actions.includes(action)))
      report([field], meansNothing(needed));
  for (const field of MULTIPART_FIELDS)
    if (uploads && rule[field] !== undefined && !asList(rule.transfers).includes('multipart'))
      report([field], 'means nothing without multipart in transfers; leave it out');
  if (!uploads && asRecord(rule.limits).bytesPerDay !== undefined)
    report(['limits', 'bytesPerDay'], meansNothing(['upload']));
}

/** Bounds the search for similar names: thousands of rules could each have a wrong name. */
const MAX_COMPARED_NAMES = 200;

/** Bounds the names that a fault lists, so that it stays readable. */
const MAX_LISTED_LENGTH = 100;

/**
 * `name` and `known` are as in the file, because a message must not show a value of the
 * environment.
 */
function unknownName(kind: string, name: string, known: readonly string[]): string {
  const closest = name.includes('${') ? undefined : closestName(name, known.slice(0, MAX_COMPARED_NAMES));
  const listed: string[] = [];
  for (const one of known.slice(0, MAX_COMPARED_NAMES).map(shown)) {
    if (listed.join(', ').length + one.length > MAX_LISTED_LENGTH) {
      listed.push('…');
      break;
    }
    listed.push(one);
  }
  const hint = closest === undefined ? '' : `; did you mean ${quote(closest)}?`;
  return `names the unknown ${kind} ${quote(name)}; known ${kind}s: ${listed.join(', ') || 'none'}${hint}`;
}

function compilePolicy(
  file: PolicyFile,
  issuerKeys: readonly IssuerKeySources[],
  notifySecrets: readonly (readonly Uint8Array[] | string | undefined)[],
): Policy {
  const targets = new Map(Object.entries(file.targets).map(([name, entry]) => [name, { name, ...entry }]));
  const warnings = plainHttpWarnings(file);
  const rules = file.rules.map((rule, index) => {
    const target = targets.get(rule.target);
    if (!target) throw new TypeError('compilePolicy needs a file whose references have been checked');
    const issuers = issuersOfRule(file, rule);
    // The prefix separates tenants if it names the tenant.
    const namesTenant = rule.prefix.parts.some((part) => 'claim' in part && part.claim.source === 'tid');
    if (
      issuers.length > 1 &&
      !(namesTenant && issuers.every(isMultiTenant)) &&
      rule.prefix.parts.some((part) => 'claim' in part)
    ) {
      warnings.push(
        `Rule ${rule.name} puts a claim into its prefix for callers of every issuer; a claim is unique only within one (RFC 7519 4.1.2). Name who.issuer.`,
      );
    }
    const { contentTypes = [], maxSize = 0, receiptAudience, notify, ...timed } = rule;
    const secrets = notifySecrets[index];
    const { receiptExpiresIn, uploadExpiresIn, ...rest } = timed;
    return {
      ...rest,
      target,
      contentTypes,
      maxSize,
      receiptAudience,
      notify:
        notify && typeof secrets === 'object'
          ? { url: notify.url, timeoutMs: notify.timeout * 1000, secrets }
          : undefined,
      receiptExpiresInSeconds: receiptExpiresIn,
      uploadExpiresInSeconds: uploadExpiresIn,
      headers: signedHeaders(rule.headers, rule.clientHeaders),
      metadataBytes: metadataBytes(metadataOfHeaders(rule.headers)),
    };
  });
  return {
    issuers: file.issuers.map((issuer, index) => compileIssuer(issuer, issuerKeys[index] ?? {})),
    rules,
    warnings: [...warnings, ...policyWarnings(rules)],
  };
}

/** Returns one sentence for each address that only `insecureHttp` allows to use plain http. */
function plainHttpWarnings(file: PolicyFile): string[] {
  const addresses: (readonly [string, string])[] = [
    ...file.issuers.map(
      ({ issuer, jwksUrl }) => [`The verification keys of ${issuer}`, jwksUrl ?? issuer] as const,
    ),
    ...Object.entries(file.targets).flatMap(([name, { endpoint, serviceEndpoint }]) => {
      const upload = typeof endpoint === 'string' ? undefined : endpoint.url;
      const service = typeof serviceEndpoint === 'string' ? undefined : serviceEndpoint.url;
      return [
        ...(upload === undefined ? [] : [[`Uploads to the target ${name}`, upload] as const]),
        ...(service === undefined || service === upload
          ? []
          : [[`The service’s calls to the target ${name}`, service] as const]),
      ];
    }),
    ...file.rules.flatMap(({ name, notify }) =>
      notify ? [[`Notifications of the rule ${name}`, notify.url] as const] : [],
    ),
  ];
  return addresses
    .filter(
      ([, url]) => url.startsWith('http:') && webAddressFault(url, { insecureHttp: false }) !== undefined,
    )
    .map(
      ([what, url]) =>
        `${what} travel over plain http to ${new URL(url).host} (insecureHttp): anyone who controls that name or network can replace them.`,
    );
}

/** The issuers that a rule may name, one entry per value of `iss`. */
function issuersOfRule(file: PolicyFile, { who }: RuleEntry): readonly string[] {
  return file.issuers.flatMap((entry) => {
    const names = tokenIssuers(entry);
    if (who.issuer === undefined || who.issuer === entry.issuer) return names;
    return names.filter((name) => name === who.issuer);
  });
}

function isMultiTenant(issuer: string): boolean {
  const [before = '', after = ''] = MULTI_TENANT_ISSUER.split(TENANT_PLACEHOLDER);
  return issuer.startsWith(before) && issuer.endsWith(after);
}

function compileIssuer(issuer: IssuerEntry, { keys, secret }: IssuerKeySources): IssuerConfig {
  return {
    issuer: issuer.issuer,
    ...(issuer.tenants && { tenants: issuer.tenants }),
    audience: [issuer.audience].flat(),
    ...(issuer.audienceClaim !== undefined && { audienceClaim: issuer.audienceClaim }),
    ...(keys && { keys }),
    ...(secret && { secret }),
    algorithms: issuer.algorithms ?? (secret ? ['HS256'] : DEFAULT_ALGORITHMS),
    ...(issuer.maxStale !== undefined && { maxStaleSeconds: issuer.maxStale }),
    ...(issuer.clockTolerance !== undefined && { clockToleranceSeconds: issuer.clockTolerance }),
  };
}

function issuersOf(content: unknown): readonly Readonly<Record<string, unknown>>[] {
  return asList(asRecord(content).issuers).map(asRecord);
}

function asRecord(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
