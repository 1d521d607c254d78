import { issuersOf } from '../auth/issuer.ts';
import type { LoadedPolicy } from '../policy/file/read-policy-file.ts';
import type { Policy, Rule } from '../policy/policy.ts';
import { resolvePrefix } from '../policy/prefix-template.ts';

/** The servers on this machine that replace the real issuers and OSS. */
export type LocalServers = {
  readonly jwks: { readonly keys: readonly object[] };
  readonly emulatorUrl: string;
};

/**
 * Changes a policy to use the servers of this machine: the demo issuer's key verifies the tokens of
 * all its issuers, and the emulator has all its buckets. The rules stay the same.
 */
export function onLocalServers(reading: LoadedPolicy, { jwks, emulatorUrl }: LocalServers): LoadedPolicy {
  if (!('policy' in reading)) return reading;
  const { policy } = reading;
  const endpoint = { url: emulatorUrl, addressing: 'path' as const };
  return {
    ...reading,
    policy: {
      ...policy,
      issuers: policy.issuers.map(({ issuer, tenants, audience, audienceClaim }) => ({
        issuer,
        tenants,
        audience,
        audienceClaim,
        keys: { kind: 'jwks', jwks },
        algorithms: ['ES256'],
      })),
      rules: policy.rules.map((rule) => ({
        ...rule,
        target: { ...rule.target, endpoint, serviceEndpoint: endpoint },
      })),
    },
  };
}

/** The rule of the printed commands: the first one that allows a PUT, or undefined. */
function exampleRule({ rules }: Policy): Rule | undefined {
  return rules.find(({ actions, transfers }) => actions.includes('upload') && transfers.includes('put'));
}

/** The claims of a token that matches the first rule that allows a PUT, or else the first rule. */
export function claimsOfExampleRule(policy: Policy): Readonly<Record<string, unknown>> {
  const { issuers, rules } = policy;
  const rule = exampleRule(policy) ?? rules[0];
  if (!rule) return {};
  const { who, prefix } = rule;
  const issuer = issuers.find((one) => one.issuer === who.issuer) ?? issuers[0];
  if (!issuer) return {};
  const [{ iss, tenant }] = issuersOf(issuer) as readonly [{ iss: string; tenant?: string }];
  const claims: Record<string, unknown> = {
    iss,
    tid: tenant,
    [issuer.audienceClaim ?? 'aud']: [issuer.audience].flat()[0],
    scope: who.scope?.join(' '),
  };
  for (const part of prefix.parts) if ('claim' in part) setClaim(claims, part.claim.path, 'demo');
  for (const { claim, values, prefixes } of who.claims ?? [])
    setClaim(claims, claim.path, values[0] ?? `${prefixes[0]}demo`);
  return claims;
}

function setClaim(
  claims: Record<string, unknown>,
  [name, ...rest]: readonly [string, ...string[]],
  value: unknown,
): void {
  const [next, ...others] = rest;
  if (next === undefined) {
    claims[name] = value;
    return;
  }
  const inner = { ...(claims[name] as object | undefined) };
  setClaim(inner, [next, ...others], value);
  claims[name] = inner;
}

/**
 * A request for a small file that the first rule with a PUT allows: the body of `POST /v1/uploads`.
 * If clients choose the keys, it has one with the prefix for the claims. Undefined if no rule
 * allows a PUT.
 */
export function requestForExampleRule(
  policy: Policy,
  claims: Readonly<Record<string, unknown>>,
  bytes: number,
): Readonly<Record<string, unknown>> | undefined {
  const rule = exampleRule(policy);
  if (!rule) return undefined;
  const types = rule.contentTypes;
  const type = types.includes('text/plain') ? 'text/plain' : types[0];
  const resolved = resolvePrefix(rule.prefix, claims);
  const isNamedByClient = rule.naming === 'client' && resolved.ok;
  return {
    ...(isNamedByClient ? { key: `${resolved.prefix}hello.txt` } : { filename: 'hello.txt' }),
    contentType: EXAMPLE_TYPES[type ?? ''] ?? type,
    contentLength: bytes,
    ...(rule.metadata.required.length > 0 && {
      metadata: Object.fromEntries(rule.metadata.required.map((name) => [name, 'demo'])),
    }),
  };
}

/** A registered type for each wildcard. */
const EXAMPLE_TYPES: Readonly<Record<string, string>> = {
  '*/*': 'text/plain',
  'text/*': 'text/plain',
  'image/*': 'image/png',
  'video/*': 'video/mp4',
  'audio/*': 'audio/mpeg',
  'application/*': 'application/pdf',
  'font/*': 'font/woff2',
};
