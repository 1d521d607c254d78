import { parsePolicy } from '../../../src/policy/file/parse-policy.ts';
import type { Policy } from '../../../src/policy/policy.ts';

type Env = Readonly<Record<string, string>>;

const NO_FILES = { readFile: () => '' };

/** The faults of a policy file, each as `line path: detail`; an empty list if it is good. */
export function faultsOf(text: string, env: Env = {}): readonly string[] {
  const parsed = parsePolicy(text, { ...NO_FILES, env });
  if ('policy' in parsed) return [];
  return parsed.faults.map(({ line, path, detail }) => `${line} ${path}: ${detail}`);
}

/** The policy of a file that must be good. */
export function policyOf(text: string, env: Env = {}): Policy {
  const parsed = parsePolicy(text, { ...NO_FILES, env });
  if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
  return parsed.policy;
}

/** A policy with one issuer, one target on line 4, and these rules from line 6 on. */
export function withRules(...rules: readonly string[]): string {
  return `issuers:
  - { issuer: https://login.example.com/, audience: uploads }
targets:
  media: { bucket: acme-media, region: cn-hangzhou }
rules:
${rules.map((rule) => `  - ${rule}\n`).join('')}`;
}

/** A good rule in one line, with further fields. */
export function ruleLine(name: string, prefix: string, fields = ''): string {
  return `{ name: ${name}, who: { scope: s }, target: media, prefix: "${prefix}", contentTypes: [image/*], maxSize: 1MiB${fields && `, ${fields}`} }`;
}
