import { parse } from 'content-disposition';
import { expect, it } from 'vitest';
import { downloadRule } from '../support/downloads.ts';
import { now } from '../support/fixed-clock.ts';
import { policyWith } from '../support/policies.ts';
import { BUCKET, LONG_LIVED, REGION, readXml, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';

// A granted download in the hands of a client: it reads the one object as it was granted, and nothing else.

async function setUp() {
  const clock = { now };
  const emulator = await startTestEmulator({ clock: () => clock.now });
  const service = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: [downloadRule({ inline: true })],
    }),
    env: { OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId, OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret },
  });
  return {
    ...{ clock, emulator },
    async ask(body: object) {
      const response = await fetch(`${service.url}/v1/downloads`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await service.issuer.sign()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(200);
      return (await response.json()) as { url: string; items: readonly { key: string; url?: string }[] };
    },
  };
}

const NAMES = [
  'report.pdf',
  'my report (1); a=b, c.pdf',
  '报告 最终.pdf',
  'تقرير.pdf',
  'ra\u0301pido.pdf',
  '👩\u200d👩\u200d👧 😀.pdf',
  'say "hi" 100%25 %.pdf',
  "it's *.pdf",
  `${'n'.repeat(251)}.pdf`,
];

it('has the bytes, the type and the file name of the request', async () => {
  const { emulator, ask } = await setUp();
  await emulator.put('users/alice/报告.txt', 'hello');
  const plain = await fetch((await ask({ key: 'users/alice/报告.txt' })).url);
  expect([plain.status, await plain.text()]).toStrictEqual([200, 'hello']);
  expect(plain.headers.get('content-type')).toBe('text/plain');
  expect(plain.headers.get('content-disposition')).toBe('attachment');
  for (const disposition of ['attachment', 'inline']) {
    for (const filename of NAMES) {
      const { url } = await ask({ key: 'users/alice/报告.txt', filename, disposition });
      const header = (await fetch(url)).headers.get('content-disposition') ?? '';
      expect(parse(header)).toMatchObject({ type: disposition, parameters: { filename } });
    }
  }
});

it('takes a range, which needs no signature', async () => {
  const { emulator, ask } = await setUp();
  await emulator.put('users/alice/a.txt', 'hello');
  const { url } = await ask({ key: 'users/alice/a.txt' });
  const part = await fetch(url, { headers: { range: 'bytes=1-2' } });
  expect([part.status, await part.text(), part.headers.get('content-range')]).toStrictEqual([
    206,
    'el',
    'bytes 1-2/5',
  ]);
});

it('is rejected with any part changed', async () => {
  const { clock, emulator, ask } = await setUp();
  for (const key of ['users/alice/a.txt', 'users/alice/b.txt', 'users/bob/a.txt'])
    await emulator.put(key, 'x');
  const { url } = await ask({ key: 'users/alice/a.txt' });
  const parameter = 'response-content-disposition';
  const toPath = (from: string, to: string) => (granted: URL) => {
    granted.pathname = granted.pathname.replace(from, to);
  };
  const changes: readonly (readonly [string, (granted: URL) => void])[] = [
    ['inline', (granted) => granted.searchParams.set(parameter, 'inline')],
    ['another name', (granted) => granted.searchParams.set(parameter, 'attachment; filename=a.exe')],
    ['without the override', (granted) => granted.searchParams.delete(parameter)],
    ['the override twice', (granted) => granted.searchParams.append(parameter, 'inline')],
    ['another type', (granted) => granted.searchParams.set('response-content-type', 'text/html')],
    ['another cache', (granted) => granted.searchParams.set('response-cache-control', 'public')],
    ['another object', toPath('a.txt', 'b.txt')],
    ['an object of another caller', toPath('alice', 'bob')],
    ['another version', (granted) => granted.searchParams.set('versionId', 'x')],
    ['another expiry', (granted) => granted.searchParams.set('x-oss-expires', '3600')],
    ['processing', (granted) => granted.searchParams.set('x-oss-process', 'image/info')],
  ];
  for (const [what, change] of changes) {
    const changed = new URL(url);
    change(changed);
    const response = await fetch(changed);
    expect([what, response.status >= 400 && response.status < 500]).toStrictEqual([what, true]);
    expect(await response.text(), what).not.toBe('x');
  }
  for (const method of ['PUT', 'DELETE', 'HEAD'])
    expect((await fetch(url, { method })).status, method).toBe(403);
  expect((await fetch(url)).status).toBe(200);
  clock.now = new Date(now.getTime() + 600_000 + 1_000);
  const expired = await fetch(url);
  expect([expired.status, readXml(await expired.text()).Code]).toStrictEqual([403, 'AccessDenied']);
});

it('of a list reads each object of the caller, and has no URL for the others', async () => {
  const { emulator, ask } = await setUp();
  const own = ['users/alice/a', 'users/alice/b c.txt', 'users/alice/+%2F?#&.txt', 'users/alice/é/😀'];
  for (const key of own) await emulator.put(key, key);
  await emulator.put('users/bob/a', 'secret');
  const foreign = [
    ...[
      'users/bob/a',
      'users/alice/../bob/a',
      'users/alice/..%2fbob/../../bob/a',
      '/users/alice/a',
      'users//alice/a',
    ],
    ...['users/alice\\..\\bob\\a', 'users/alice/./../bob/a', 'users/ALICE/a', 'users/alice', '', '..', '?'],
  ];
  const { items } = await ask({ keys: [...own, ...foreign, ...own] });
  expect(items.map(({ key }) => key)).toStrictEqual([...own, ...foreign, ...own]);
  expect(items.filter(({ url }) => url).map(({ key }) => key)).toStrictEqual([...own, ...own]);
  for (const { key, url } of items) if (url) expect(await (await fetch(url)).text()).toBe(key);
});
