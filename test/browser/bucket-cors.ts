import { readFileSync } from 'node:fs';
import { parse, stringify } from 'yaml';
import type { CorsRule } from '../../src/emulator/emulator.ts';
import { runCli } from '../support/run-cli.ts';

/** The rule that `bucket-cors` prints for the policy of the demo and an origin, as OSS reads it. `rules` replaces the policy's own. */
export async function demoCorsRule(
  origin: string,
  rules?: readonly Readonly<Record<string, unknown>>[],
): Promise<CorsRule> {
  const policy = parse(readFileSync(new URL('../../src/demo/policy.yaml', import.meta.url), 'utf8'));
  const { stdout } = await runCli(['bucket-cors', '--origin', origin], {
    env: {
      DEMO_ISSUER: 'https://a.example/',
      DEMO_JWKS_URL: 'https://a.example/jwks',
      DEMO_OSS_ENDPOINT: 'public',
    },
    files: { 'policy.yaml': stringify({ ...policy, ...(rules && { rules }) }) },
  });
  const values = (name: string) =>
    [...stdout.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, value = '']) => value);
  return {
    allowedOrigins: values('AllowedOrigin'),
    allowedMethods: values('AllowedMethod'),
    allowedHeaders: values('AllowedHeader'),
    exposeHeaders: values('ExposeHeader'),
    maxAgeSeconds: Number(values('MaxAgeSeconds')[0]),
  };
}
