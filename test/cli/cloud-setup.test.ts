import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { now } from '../support/fixed-clock.ts';
import { runCli } from '../support/run-cli.ts';
import { serviceKeysFile } from '../support/service-keys.ts';
import { createTestIssuer } from '../support/tokens.ts';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/cloud-setup.md', root), 'utf8');
const blocksOf = (language: string) =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([\\s\\S]*?)\`\`\``, 'g'))].map(([, block = '']) => block);

const [claims = '', request = '', html = ''] = blocksOf('json');
// The page shows the end of this policy.
const [rule = ''] = blocksOf('yaml');
const files = {
  'policy.example.yaml': readFileSync(new URL('policy.example.yaml', root), 'utf8'),
  'films.yaml': `${readFileSync(new URL('policy.example.yaml', root), 'utf8')}\n${rule.replaceAll(/^/gm, '  ')}`,
  'claims.json': claims,
  'request.json': request,
  'html.json': html,
  'service-keys.json': serviceKeysFile('a'),
};
const ENV = {
  OSS_ACCESS_KEY_ID: 'TheKeyId',
  OSS_ACCESS_KEY_SECRET: 'TheKeySecret',
  SERVICE_KEYS_FILE: 'service-keys.json',
  PUBLIC_URL: 'https://presign.example.com',
};

const NO_SUCH_KEY = {
  'x-oss-request-id': '51524FBF3C5D68394A371BEC',
  'x-oss-err': Buffer.from('<Error><Code>NoSuchKey</Code></Error>').toString('base64'),
};

/** Only the issuer of the example and the bucket respond. */
const exampleNetwork: typeof fetch = async (input) => {
  if (String(input).startsWith('https://acme-media.oss-cn-hangzhou.aliyuncs.com/'))
    return new Response(null, { status: 404, headers: NO_SUCH_KEY });
  if (input !== 'https://login.example.com/jwks') throw new TypeError('fetch failed');
  const headers = { date: new Date(now.getTime() + 2000).toUTCString() };
  return new Response(JSON.stringify(createTestIssuer().jwks), { headers });
};

it('shows every command but start and keygen, and the files that they need', () => {
  expect(blocksOf('console').map((block) => /oss-presign ([a-z-]+)/.exec(block)?.[1])).toStrictEqual([
    'ram-policy',
    'bucket-cors',
    'lifecycle',
    'decide',
    'decide',
    'check',
    'check',
  ]);
  expect([blocksOf('json').length, blocksOf('yaml').length]).toStrictEqual([3, 1]);
});

it.each(blocksOf('console').map((block) => [block.split('\n')[0] ?? '', block]))(
  '%s prints what the page shows',
  async (line, block) => {
    const words = line.split(' ').slice(1);
    const program = words.indexOf('npx');
    const env = Object.fromEntries(words.slice(0, program).map((word) => word.split('=')));
    const { stdout, stderr } = await runCli(words.slice(program + 2), {
      files,
      env: { ...ENV, ...env },
      fetch: exampleNetwork,
    });
    expect(`${line}\n${stdout}`).toBe(block);
    expect(stderr).toBe('');
  },
);
