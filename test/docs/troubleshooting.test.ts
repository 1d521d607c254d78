import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { startCallbackReceiver } from '../support/callback-receiver.ts';
import { base64Json, uploadWithCallback } from '../support/callback-uploads.ts';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { PART_BYTES, startMultipartEnvironment } from '../support/multipart-environment.ts';
import { runCli } from '../support/run-cli.ts';
import { startTestEmulator } from '../support/test-emulator.ts';

const text = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8');
const demoPolicy = readFileSync(new URL('../../src/demo/policy.yaml', import.meta.url), 'utf8');

/**
 * The response that the page shows for each case: a code block of XML or JSON, in which "…" stands
 * for any text.
 */
const shown = new Map(
  [...text.matchAll(/<!-- case: (.+) -->\n```(?:xml|json)\n([\s\S]*?)\n```/g)].map(
    ([, name = '', block = '']) => [name, block],
  ),
);

type Grant = {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};
type Put = {
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly url?: (url: string) => string;
  readonly method?: string;
  readonly body?: RequestInit['body'];
};

let environment: ClientEnvironment;
beforeAll(async () => {
  environment = await startClientEnvironment();
});
afterAll(() => environment.close());
beforeEach(() => environment.setClockAhead(0));

/** The mistakes that a client can make at the PUT of 14 bytes. */
const MISTAKES: Readonly<Record<string, Put>> = {
  'an x-oss header is missing': { headers: { 'x-oss-meta-album': undefined } },
  'an x-oss header is changed': { headers: { 'x-oss-forbid-overwrite': 'false' } },
  'an x-oss header is added': { headers: { 'x-oss-storage-class': 'IA' } },
  'the body has another length': { body: 'Hello' },
  'there is no Content-Type': { headers: { 'Content-Type': undefined } },
  'the library sends another Content-Type': { headers: { 'Content-Type': 'application/octet-stream' } },
  'the charset is rewritten': { headers: { 'Content-Type': 'text/plain; charset=UTF-8' } },
  'the body is sent in chunks': {
    body: Readable.toWeb(Readable.from(['Hello, bucket\n'])) as ReadableStream,
  },
  'a signed header is left out': { headers: { 'Content-Disposition': undefined } },
  'an Authorization header is added': { headers: { Authorization: 'Bearer token' } },
  'the URL is encoded twice': { url: (url) => url.replaceAll('%', '%25') },
  'a form is posted': { method: 'POST' },
};

it.each(Object.keys(MISTAKES))('the page shows the response of OSS when %s', async (name) => {
  const { status, response } = await put(await ask(environment), MISTAKES[name] ?? {});
  expect(status).toBeGreaterThanOrEqual(400);
  expectShown(name, response);
});

it('the page shows the response of OSS when the URL has expired', async () => {
  const grant = await ask(environment);
  environment.setClockAhead(601);
  expectShown('the URL has expired', (await put(grant)).response);
});

it('the page shows the response of OSS when the object exists', async () => {
  const grant = await ask(environment, { key: 'users/alice/taken.txt' });
  expect((await put(grant)).status).toBe(200);
  expectShown('the object exists', (await put(grant)).response);
});

it('the page shows the response of OSS when the region is another', async () => {
  const elsewhere = await startClientEnvironment({ region: 'cn-shanghai' });
  onTestFinished(elsewhere.close);
  expectShown('the region is another', (await put(await ask(elsewhere))).response);
});

it('the page shows the response of OSS when a part has a Content-Type, and when its upload is gone', async () => {
  const { service, token } = await startMultipartEnvironment();
  const post = async (path: string, body: object): Promise<Readonly<Record<string, unknown>>> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${service.url}/v1/uploads${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    return response.status === 204 ? {} : ((await response.json()) as Readonly<Record<string, unknown>>);
  };
  const request = { filename: 'a.mp4', contentType: 'video/mp4', contentLength: 2 * PART_BYTES };
  const { id } = await post('', { ...request, transfer: 'multipart' });
  const { parts } = await post('/parts', { id, partNumbers: [1] });
  const [{ url, method }] = parts as readonly [{ readonly url: string; readonly method: string }];
  const body = Buffer.alloc(PART_BYTES);
  const wrong = await fetch(url, { method, body, headers: { 'content-type': 'video/mp4' } });
  expectShown('a part has a Content-Type', await wrong.text());
  await post('/abort', { id });
  expectShown('the multipart upload is gone', await (await fetch(url, { method, body })).text());
});

it('the page shows the response of OSS when the callback fails', async () => {
  const receiver = await startCallbackReceiver('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n');
  const emulator = await startTestEmulator({ callbacks: { allowPrivateAddresses: true } });
  const callback = base64Json({ callbackUrl: receiver.origin, callbackBody: 'a=b' });
  const response = await uploadWithCallback(emulator, 'the query of a PUT', { callback });
  expect(response.status).toBe(203);
  expectShown('the callback fails', await response.text());
});

it('the page shows the response of OSS when no CORS rule matches', async () => {
  const response = await fetch(`${environment.oss.url}/acme-media/users/alice/note.txt`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' },
  });
  expectShown('no CORS rule matches', await response.text());
});

it.each([
  ['no file type', { contentType: '' }],
  ['a type that no rule names', { contentType: 'image/jpg' }],
  ['decomposed key', { key: 'users/alice/Cafe\u0301.txt' }],
  ['metadata that is not ASCII', { metadata: { 'original-name': '报告.png' } }],
])('the page shows the response of the service for %s', async (name, fields) => {
  expectSubset(await ask(environment, fields), JSON.parse(shown.get(name) ?? 'null'));
});

it('metadata and dispositions that are encoded as on the page are granted and stored', async () => {
  const original = /gives `(%[^`]+)`/.exec(text)?.[1] ?? '';
  expect(decodeURIComponent(original)).toBe('报告.png');
  const key = 'users/alice/encoded.txt';
  expect((await put(await ask(environment, { key, metadata: { 'original-name': original } }))).status).toBe(
    200,
  );
  expect((await environment.read(key)).headers['x-oss-meta-original-name']).toBe(original);
  expect(text).toContain(`filename*=UTF-8''${original}`);
});

it('a file name in either form is granted', async () => {
  const fields = { key: undefined, filename: 'Cafe\u0301.txt' };
  expect(await ask(environment, fields)).toHaveProperty('url');
});

it('OSS stores the headers that the page calls free', async () => {
  const key = 'users/alice/free.txt';
  const free = {
    'content-encoding': 'identity',
    'content-language': 'de',
    expires: 'Thu, 01 Jan 2032 00:00:00 GMT',
  };
  expect((await put(await ask(environment, { key }), { headers: free })).status).toBe(200);
  expect((await environment.read(key)).headers).toMatchObject(free);
});

it.each(['HEAD', 'GET'])('a URL for a PUT cannot be used for %s', async (method) => {
  const { url } = await ask(environment);
  expect([400, 403]).toContain((await fetch(url, { method })).status);
});

it('the CORS rule of the page is what bucket-cors prints for the demo’s policy', async () => {
  const env = {
    DEMO_ISSUER: 'https://login.example.com/',
    DEMO_JWKS_URL: 'https://login.example.com/jwks',
    DEMO_OSS_ENDPOINT: 'public',
  };
  const { stdout } = await runCli(['bucket-cors', '--origin', 'https://app.example.com'], {
    env,
    files: { 'policy.yaml': demoPolicy },
  });
  const [, printed = ''] = /(<\?xml[\s\S]*<\/CORSConfiguration>)/.exec(stdout) ?? [];
  expect(/<!-- bucket-cors -->\n```xml\n([\s\S]*?)\n```/.exec(text)?.[1]).toBe(printed);
});

it('every block of XML or JSON is that of a case, and every link of the index leads to a heading', () => {
  expect([...text.matchAll(/```(?:xml|json)\n/g)]).toHaveLength(shown.size + 1);
  const anchors = new Set(
    [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
  const links = [...text.matchAll(/\]\(#([^)]*)\)/g)].map(([, anchor = '']) => anchor);
  expect(links.length).toBeGreaterThan(15);
  expect(links.filter((anchor) => !anchors.has(anchor))).toStrictEqual([]);
});

function expectShown(name: string, response: string): void {
  const block = shown.get(name) ?? `The page has no case "${name}".`;
  expect(response).toMatch(toPattern(block));
}

/** Every member that the page shows is there, its texts with anything in place of "…". */
function expectSubset(actual: unknown, expected: unknown): void {
  const asMatchers = JSON.parse(JSON.stringify(expected), (_name, value) =>
    typeof value === 'string' && value.includes('…') ? expect.stringMatching(toPattern(value)) : value,
  );
  expect(actual).toMatchObject(asMatchers);
}

function toPattern(shownText: string): RegExp {
  const parts = shownText.split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(parts.join('[\\s\\S]*?'));
}

/** The response of the service to the request of the page with other fields. */
async function ask(
  { service, token }: ClientEnvironment,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<Grant> {
  const asked = await fetch(`${service.url}/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      key: 'users/alice/note.txt',
      contentType: 'text/plain',
      contentLength: 14,
      metadata: { album: 'examples' },
      ...fields,
    }),
  });
  return (await asked.json()) as Grant;
}

/** Uploads with a grant and a mistake, and returns the response of OSS. */
async function put(grant: Grant, mistake: Put = {}): Promise<{ status: number; response: string }> {
  const headers = Object.entries({ ...grant.headers, ...mistake.headers }).filter(
    ([, value]) => value !== undefined,
  );
  const sent = await fetch(mistake.url?.(grant.url) ?? grant.url, {
    method: mistake.method ?? grant.method,
    headers: headers as [string, string][],
    body: mistake.body ?? Buffer.from('Hello, bucket\n'),
    duplex: 'half',
  } as RequestInit);
  return { status: sent.status, response: await sent.text() };
}
