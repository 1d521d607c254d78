import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parsePolicy } from '../../src/policy/file/parse-policy.ts';
import type { Rule } from '../../src/policy/policy.ts';
import { mediaRangeAllows } from '../../src/policy/wildcard-types.ts';

const env = {
  DEMO_ISSUER: 'http://localhost:8090/',
  DEMO_JWKS_URL: 'http://localhost:8090/jwks',
  DEMO_OSS_ENDPOINT: 'http://localhost:9000',
};

describe.each(['policy.example.yaml', 'src/demo/policy.yaml', 'deploy/kubernetes/base/policy.yaml'])(
  'own-files of %s',
  (path) => {
    const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
    const parsed = parsePolicy(text, { env, readFile: () => '{"keys":[]}' });
    if ('faults' in parsed) throw new Error(JSON.stringify(parsed.faults));
    const rule = parsed.policy.rules.find(({ name }) => name === 'own-files') as Rule;

    // The types that Chromium and Firefox report for .png, .jpg, .gif, .webp, .avif, .bmp, .ico, .mp4
    // and .pdf, and for MediaRecorder's video.
    it.each([
      ...['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp', 'image/x-icon'],
      ...['video/mp4', 'video/webm', 'application/pdf'],
    ])('accepts %s, which browsers report', (type) => {
      expect(rule.contentTypes.some((range) => mediaRangeAllows(range, type))).toBe(true);
    });

    it.each(['image/svg+xml', 'text/html', 'application/xhtml+xml', 'image/unknown'])(
      'does not accept %s',
      (type) => {
        expect(rule.contentTypes.some((range) => mediaRangeAllows(range, type))).toBe(false);
      },
    );
  },
);
