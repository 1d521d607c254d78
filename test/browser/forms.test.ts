import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { CorsRule } from '../../src/emulator/emulator.ts';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { formHtml, formSnippets } from '../support/client-snippets.ts';
import { demoCorsRule } from './bucket-cors.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

type FormPage = { readonly environment: ClientEnvironment; readonly tab: Page; readonly origin: string };

/** A page with the form and the snippets of docs/forms.md, in a tab. `corsRules` are those of the bucket. */
async function openPage(
  corsRules: (origin: string) => Promise<readonly CorsRule[]> = async (origin) => [
    await demoCorsRule(origin),
  ],
): Promise<FormPage> {
  let html = '';
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(html);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = await startClientEnvironment({
    corsRules: await corsRules(origin),
    corsOrigins: origin,
  });
  const functions = `const token = '${environment.token}';\n${formSnippets(environment.service.url)}
Object.assign(window, { token, requestForm, formOf, uploadForm, uploadFormWithProgress });`;
  html = `<!doctype html>\n${formHtml().replace('<script type="module">', `<script type="module">\n${functions}`)}`;
  const tab = await browser.newPage();
  onTestFinished(async () => {
    await tab.close();
    server.closeAllConnections();
    server.close();
    await environment.close();
  });
  await tab.goto(origin);
  await tab.waitForFunction('window.uploadForm !== undefined');
  return { environment, tab, origin };
}

/** Calls a function of the page with a file that the page makes. */
const callWithFile = (
  tab: Page,
  code: string,
  name = 'note.txt',
  text = 'Hello, bucket\n',
): Promise<unknown> =>
  tab.evaluate(
    ([code, name, text]) =>
      // biome-ignore lint/security/noGlobalEval: the test writes the code.
      eval(`(async (file) => { ${code} })`)(new File([text ?? ''], name ?? '', { type: 'text/plain' })),
    [code, name, text] as const,
  );

const methodsOf = ({ oss }: ClientEnvironment) => oss.exchanges.map(({ method }) => method);

/** Names that are hard to write into a form. */
const NAMES = [
  'note.txt',
  'a "quoted" name.txt',
  'two\r\nlines.txt',
  '报告 最终版.txt',
  'Café 😀👩‍👩‍👧.txt',
  `100% + 'a'; filename=b.txt`,
  'C:\\fakepath\\note.txt',
];

describe.each([
  ['fetch', 'return await uploadForm(file, token);', ['POST']],
  ['XMLHttpRequest', 'return await uploadFormWithProgress(file, token, () => {});', ['OPTIONS', 'POST']],
])('the snippet with %s', (_name, code, methods) => {
  it('uploads files with names of every kind', async () => {
    const { environment, tab } = await openPage();
    for (const name of NAMES) {
      environment.oss.interfere({});
      const key = (await callWithFile(tab, code, name)) as string;
      expect(key, name).toMatch(/^users\/alice\/[0-9a-f-]{36}\.txt$/);
      expect(await environment.read(key), name).toMatchObject({
        status: 200,
        bytes: 14,
        headers: { 'content-type': 'text/plain', 'content-disposition': 'attachment' },
      });
      // A browser remembers a preflight.
      expect(methodsOf(environment), name).toStrictEqual(name === NAMES[0] ? methods : ['POST']);
    }
  });

  it('uploads an empty file', async () => {
    const { environment, tab } = await openPage();
    const key = (await callWithFile(tab, code, 'empty.txt', '')) as string;
    expect((await environment.read(key)).bytes).toBe(0);
  });

  it('throws the code of OSS', async () => {
    const { environment, tab } = await openPage();
    environment.setClockAhead(601);
    const outcome = await callWithFile(tab, `try { ${code} } catch (error) { return String(error); }`);
    expect(outcome).toBe('Error: OSS rejected the upload: 403 AccessDenied');
  });
});

it('reports progress up to the whole file', async () => {
  const { tab } = await openPage();
  const outcome = await callWithFile(
    tab,
    `const seen = [];
     await uploadFormWithProgress(new File([new Uint8Array(20_000_000)], 'a.txt', { type: 'text/plain' }), token, (part) => seen.push(part));
     return [seen.length > 1, seen.at(-1), seen.every((part, index) => index === 0 || part >= seen[index - 1])];`,
  );
  expect(outcome).toStrictEqual([true, 1, true]);
});

it.each([
  ['no rule', async () => []],
  [
    'a rule without POST',
    async (origin: string) => [{ ...(await demoCorsRule(origin)), allowedMethods: ['PUT'] }],
  ],
])(
  'stores a form although the page cannot read the response, with %s of the bucket',
  async (_name, rules) => {
    const { environment, tab } = await openPage(rules);
    const outcome = await callWithFile(tab, 'return await uploadForm(file, token).catch(String);');
    expect(outcome).toBe('TypeError: Failed to fetch');
    const { key } = JSON.parse(environment.service.exchanges.at(-1)?.response ?? '{}');
    expect((await environment.read(key)).bytes).toBe(14);
    const withProgress = await callWithFile(
      tab,
      'return await uploadFormWithProgress(file, token, () => {}).catch(String);',
    );
    expect(withProgress).toBe('Error: The bucket cannot be reached, or its CORS rule does not allow POST.');
  },
);

describe('a form that the page puts together wrongly', () => {
  it.each([
    ['the file first', '[[grant.fileField, file], ...fields]', 400],
    ['a field after the file', '[...fields.slice(1), [grant.fileField, file], fields[0]]', 400],
    [
      'a field left out',
      "[...fields.filter(([name]) => name !== 'x-oss-object-acl'), [grant.fileField, file]]",
      403,
    ],
    ['a field twice', "[['x-oss-object-acl', 'public-read'], ...fields, [grant.fileField, file]]", 400],
    ['another field for the file', "[...fields, ['upload', file]]", 400],
    ['two files', '[...fields, [grant.fileField, file], [grant.fileField, file]]', 400],
    ['another length', "[...fields, [grant.fileField, new File(['x'], 'a')]]", 400],
    [
      'another value',
      "[...fields.map(([name, value]) => [name, name === 'key' ? value + 'x' : value]), [grant.fileField, file]]",
      403,
    ],
  ])('is rejected: %s', async (_name, parts, status) => {
    const { environment, tab } = await openPage();
    const outcome = await callWithFile(
      tab,
      `const grant = await requestForm(file, token);
       const fields = Object.entries(grant.fields);
       const form = new FormData();
       for (const [name, value] of ${parts}) form.append(name, value);
       return (await fetch(grant.url, { method: 'POST', body: form })).status;`,
    );
    expect(outcome).toBe(status);
    const { key } = JSON.parse(environment.service.exchanges.at(-1)?.response ?? '{}');
    expect((await environment.read(key)).status).toBe(404);
  });

  it('works with a field that no condition names', async () => {
    const { tab } = await openPage();
    const outcome = await callWithFile(
      tab,
      `const grant = await requestForm(file, token);
       const form = formOf({ ...grant, fields: { submit: 'Send', ...grant.fields } }, file);
       return (await fetch(grant.url, { method: 'POST', body: form })).status;`,
    );
    expect(outcome).toBe(200);
  });
});

describe('the HTML form', () => {
  it('uploads files with names of every kind, when a person submits it', async () => {
    const { environment, tab, origin } = await openPage();
    for (const name of NAMES) {
      await tab.goto(origin);
      await tab.setInputFiles('[type=file]', {
        name,
        mimeType: 'text/plain',
        buffer: Buffer.from('Hello, bucket\n'),
      });
      await tab.waitForSelector('input[name=x-oss-signature]', { state: 'attached' });
      const [response] = await Promise.all([
        tab.waitForResponse((one) => one.url().startsWith(environment.oss.url)),
        tab.click('button'),
      ]);
      expect([response.request().method(), response.status()], name).toStrictEqual(['POST', 200]);
      const { key } = JSON.parse(environment.service.exchanges.at(-1)?.response ?? '{}');
      expect(await environment.read(key), name).toMatchObject({
        bytes: 14,
        headers: { 'content-type': 'text/plain' },
      });
    }
  });

  it('uploads the second file that a person chooses', async () => {
    const { environment, tab } = await openPage();
    for (const [index, text] of ['first', 'the second one'].entries()) {
      const [grant] = await Promise.all([
        tab.waitForResponse(
          (one) => one.url() === `${environment.service.url}/v1/uploads` && one.status() === 201,
        ),
        tab.setInputFiles('[type=file]', {
          name: `${index}.txt`,
          mimeType: 'text/plain',
          buffer: Buffer.from(text),
        }),
      ]);
      const { key } = await grant.json();
      await tab.waitForFunction(
        `[...document.querySelectorAll('[name=key]')].map(({ value }) => value).join() === '${key}' && document.querySelector('form').action !== ''`,
      );
    }
    await Promise.all([
      tab.waitForResponse((one) => one.url().startsWith(environment.oss.url)),
      tab.click('button'),
    ]);
    const { key } = JSON.parse(environment.service.exchanges.at(-1)?.response ?? '{}');
    expect((await environment.read(key)).bytes).toBe('the second one'.length);
  });
});
