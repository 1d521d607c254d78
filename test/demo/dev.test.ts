import { describe, expect, it } from 'vitest';
import { asksForUsage, readDevOptions } from '../../src/demo/dev-options.ts';
import { claimsOfExampleRule, requestForExampleRule } from '../../src/demo/local-policy.ts';
import { policyWith } from '../support/policies.ts';
import { policyFrom } from '../support/test-app.ts';
import { createTestIssuer } from '../support/tokens.ts';

describe('the arguments of npm run dev', () => {
  it.each([
    [[], { service: 8080, issuer: 8090, emulator: 9000 }],
    [['--port', '3000'], { service: 3000, issuer: 3001, emulator: 3002 }],
    [['--port=3000', '--issuer-port', '5000'], { service: 3000, issuer: 5000, emulator: 3002 }],
    [['--emulator-port', '5000'], { service: 8080, issuer: 8090, emulator: 5000 }],
    [['--port', '0'], { service: 0, issuer: 0, emulator: 0 }],
  ])('%j: these ports', (args, ports) => {
    expect(readDevOptions(args)).toStrictEqual({ policyFile: undefined, ports });
  });

  it.each([
    [['--port', '80a'], '--port must be a whole number from 0 to 65535.'],
    [['--port', '65536'], '--port must be a whole number from 0 to 65535.'],
    [
      ['--port', '65535'],
      '--port must be at most 65533, or --issuer-port and --emulator-port must be given too.',
    ],
    [['--polic', 'a'], 'unknown option "--polic". Did you mean "--policy"?'],
    [['--policy'], '--policy needs a value.'],
    [['my.yaml'], 'unexpected argument "my.yaml".'],
  ])('%j: %s', (args, fault) => {
    expect(readDevOptions(args)).toMatchObject({ faults: expect.arrayContaining([fault]) });
  });
});

it('the token and the request match every kind of first rule', () => {
  const policy = policyFrom(
    policyWith({
      rules: [
        {
          name: 'team',
          who: {
            scope: ['a', 'b'],
            claims: { role: ['member', 'admin'], '/realm/groups': ['eng-*'] },
          },
          target: 'media',
          prefix: 'teams/{/org/team}/{sub}/',
          naming: 'client',
          contentTypes: ['image/*'],
          maxSize: '1MiB',
          metadata: { allowed: [], required: ['album'] },
          expiresIn: { default: '10m', max: '1h' },
        },
      ],
    }),
    createTestIssuer(),
  );
  const claims = { ...claimsOfExampleRule(policy), sub: 'alice' };
  expect(claims).toMatchObject({
    iss: 'https://login.test/',
    aud: 'uploads',
    role: 'member',
    realm: { groups: 'eng-demo' },
    org: { team: 'demo' },
  });
  expect(requestForExampleRule(policy, claims, 5)).toStrictEqual({
    key: 'teams/demo/alice/hello.txt',
    contentType: 'image/png',
    contentLength: 5,
    metadata: { album: 'demo' },
  });
});

it.each(['--help', '-h', 'help'])('npm run dev -- %s prints the usage', (argument) => {
  expect(asksForUsage([argument])).toBe(true);
  expect(asksForUsage(['--policy', 'policy.yaml'])).toBe(false);
});
