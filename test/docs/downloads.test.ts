import { expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { codeBlocks, readDocument, shownPattern } from '../support/documents.ts';
import { testIssuerEntry } from '../support/policies.ts';
import { createTestApp } from '../support/test-app.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';

const PAGE = 'docs/downloads.md';
const { rules } = parse(codeBlocks(PAGE, 'yaml')[0] ?? '');

it.each([0, 1])(
  'the service returns what example %d of the page shows, with the rule of the page',
  async (index) => {
    const { targets } = parse(readDocument('policy.example.yaml'));
    const policyYaml = stringify({ issuers: [testIssuerEntry()], targets, rules });
    const { http, issuer } = await createTestApp({ policyYaml });
    const [, body = ''] = /-d '(.*)'/.exec(codeBlocks(PAGE, 'sh')[index] ?? '') ?? [];
    const authorization = `Bearer ${await issuer.sign()}`;
    const response = await http.post('/v1/downloads').set({ authorization }).type('json').send(body);
    const shown = JSON.parse(codeBlocks(PAGE, 'json')[index] ?? '', (_name, value) =>
      typeof value === 'string' && value.includes('…') ? expect.stringMatching(shownPattern(value)) : value,
    );
    expect(response.body).toStrictEqual(shown);
  },
);

it('the function of the page reads an object, and throws the reason of a denial', async () => {
  const emulator = await startTestEmulator();
  const targets = { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } };
  const service = await startTestService({
    policyYaml: stringify({ issuers: [testIssuerEntry()], targets, rules }),
    env: { OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId, OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret },
  });
  const module = `${codeBlocks(PAGE, 'js')[0]}\nexport { download };`;
  const { download } = await import(`data:text/javascript,${encodeURIComponent(module)}`);
  const token = await service.issuer.sign();
  await emulator.put('users/alice/a.txt', 'hello');
  const { url } = await download(service.url, token, { key: 'users/alice/a.txt' });
  expect(await (await fetch(url)).text()).toBe('hello');
  const { items } = await download(service.url, token, { keys: ['users/alice/a.txt', 'users/bob/a.txt'] });
  expect(items.map(({ status }: { status: number }) => status)).toStrictEqual([200, 403]);
  await expect(download(service.url, token, { key: 'users/bob/a.txt' })).rejects.toThrow(
    'The key must begin with "users/alice/".',
  );
});
