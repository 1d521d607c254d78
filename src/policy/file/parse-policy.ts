import type { z } from 'zod';
import type { IssuerConfig, IssuerKeys } from '../../auth/issuer.ts';
import { metadataBytes } from '../metadata-size.ts';
import type { Policy } from '../policy.ts';
import { issuerKeys, type PolicySources } from './issuer-keys.ts';
import { type PolicyFault, readPolicyDocument } from './policy-document.ts';
import { type Issuer, type PolicyFile, policySchema } from './policy-schema.ts';
import { metadataOfHeaders, signedHeaders } from './rule-headers.ts';

const DEFAULT_ALGORITHMS = ['RS256', 'ES256', 'EdDSA'];

/**
 * Reads a policy file and checks it whole.
 * @returns the policy, or every fault with its line and path. Never throws on what the file holds, and no fault holds
 *   the value of an environment variable.
 */
export function parsePolicy(
  text: string,
  sources: PolicySources,
): { readonly policy: Policy } | { readonly faults: readonly PolicyFault[] } {
  const document = readPolicyDocument(text, sources.env);
  const faults: PolicyFault[] = [...document.faults];
  if (document.content === undefined) return { faults };
  const { content } = document;

  const fault = (path: readonly PropertyKey[], detail: string): void => {
    faults.push({ line: document.lineOf(path), path: renderPath(path), detail });
  };
  const parsed = policySchema.safeParse(content);
  for (const issue of parsed.error?.issues ?? []) reportIssue(issue, fault);
  checkReferences(content, fault);
  const issuers = issuersOf(content).map((entry, index) =>
    issuerKeys(entry, sources, (field, detail) => fault(['issuers', index, field], detail)),
  );
  if (!parsed.success || faults.length > 0) return { faults: faults.sort((a, b) => a.line - b.line) };
  return { policy: compilePolicy(parsed.data, issuers) };
}

function renderPath(path: readonly PropertyKey[]): string {
  return path
    .map((step, index) => (typeof step === 'number' ? `[${step}]` : `${index > 0 ? '.' : ''}${String(step)}`))
    .join('');
}

type ReportFault = (path: readonly PropertyKey[], detail: string) => void;

/** Turns zod's issues into faults: one per unknown field, and for a union what its closest member says. */
function reportIssue(issue: z.core.$ZodIssue, fault: ReportFault): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) fault([...issue.path, key], 'is not a field of the policy file');
  } else if (issue.code === 'invalid_type' && /received undefined$/.test(issue.message)) {
    fault(issue.path, 'is missing');
  } else if (issue.code === 'invalid_key') {
    for (const inner of issue.issues) fault(issue.path, `as a name ${inner.message}`);
  } else if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    const nested = issue.errors.flat().filter((inner) => inner.code !== 'invalid_type');
    if (nested.length === 0) fault(issue.path, 'is missing or of the wrong type');
    for (const inner of nested) reportIssue({ ...inner, path: [...issue.path, ...inner.path] }, fault);
  } else {
    fault(issue.path, issue.message);
  }
}

/** Checks what one part of the file says about another. Works on a file with other faults, so that all are told at once. */
function checkReferences(content: unknown, fault: ReportFault): void {
  const targets = Object.keys(asRecord(asRecord(content).targets));
  const issuers = issuersOf(content).map((entry) => entry.issuer);
  const rules = asList(asRecord(content).rules).map(asRecord);
  for (const [index, issuer] of issuers.entries()) {
    if (issuer !== undefined && issuers.indexOf(issuer) < index)
      fault(['issuers', index, 'issuer'], 'stands twice');
  }
  const names = rules.map((rule) => rule.name);
  for (const [index, rule] of rules.entries()) {
    if (rule.name !== undefined && names.indexOf(rule.name) < index)
      fault(['rules', index, 'name'], 'stands twice');
    if (typeof rule.target === 'string' && !targets.includes(rule.target)) {
      fault(
        ['rules', index, 'target'],
        `names no entry of targets; there are: ${targets.join(', ') || 'none'}`,
      );
    }
    const issuer = asRecord(rule.who).issuer;
    if (typeof issuer === 'string' && !issuers.includes(issuer))
      fault(['rules', index, 'who', 'issuer'], 'names no entry of issuers');
  }
}

function compilePolicy(file: PolicyFile, issuerKeys: readonly IssuerKeys[]): Policy {
  const targets = new Map(Object.entries(file.targets).map(([name, entry]) => [name, { name, ...entry }]));
  const warnings: string[] = [];
  const rules = file.rules.map((rule) => {
    const target = targets.get(rule.target);
    if (!target) throw new TypeError('compilePolicy needs a file whose references have been checked');
    if (
      file.issuers.length > 1 &&
      rule.who.issuer === undefined &&
      rule.prefix.parts.some((part) => 'claim' in part)
    ) {
      warnings.push(
        `Rule ${rule.name} puts a claim into its prefix for callers of every issuer; a claim is unique only within one (RFC 7519 4.1.2). Name who.issuer.`,
      );
    }
    return {
      ...rule,
      target,
      headers: signedHeaders(rule.headers, rule.clientHeaders),
      metadataBytes: metadataBytes(metadataOfHeaders(rule.headers)),
    };
  });
  return {
    issuers: file.issuers.map((issuer, index) =>
      compileIssuer(issuer, issuerKeys[index] ?? { kind: 'discovery' }),
    ),
    rules,
    warnings,
  };
}

function compileIssuer(issuer: Issuer, keys: IssuerKeys): IssuerConfig {
  return {
    issuer: issuer.issuer,
    audience: [issuer.audience].flat(),
    keys,
    algorithms: issuer.algorithms ?? (keys.kind === 'secret' ? ['HS256'] : DEFAULT_ALGORITHMS),
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
