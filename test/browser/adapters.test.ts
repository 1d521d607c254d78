import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createViteServer } from 'vitest/node';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { adapterRules, adapterSnippet } from '../support/client-snippets.ts';
import { demoCorsRule } from './bucket-cors.ts';
import { launchChromium } from './chromium.ts';
import { openChromium, openFirefox } from './open-browser.ts';

const install = promisify(execFile);

const BROWSERS = [
  { browser: 'Chromium', open: openChromium },
  { browser: 'Firefox', open: openFirefox },
];
const RAILS = [
  { client: '@rails/activestorage 7', folder: 'activestorage-7' },
  { client: '@rails/activestorage 8', folder: 'activestorage-8' },
];

type SentFile = { readonly name: string; readonly type: string; readonly text: string };
type Outcome = { readonly value?: unknown; readonly error?: string };

const PHOTO: SentFile = { name: 'Café 报告 😀.png', type: 'image/png', text: 'not really a picture\n' };

/** Installs the package of a folder next to this file, for the tests of the suite that calls it. */
function installPackage(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `oss-presign-${name}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(async () => {
    cpSync(new URL(`${name}/`, import.meta.url), folder, { recursive: true });
    await install('npm', ['ci', '--ignore-scripts', '--silent'], { cwd: folder });
  });
  return folder;
}

/**
 * Serves a page with a script that imports the package of a folder, from an origin that the service
 * and the bucket allow. `receive` gets the bodies that the page posts, and makes the responses.
 */
async function servePage(
  root: string,
  page: { html: string; script(environment: ClientEnvironment): string; dependency: string },
  receive: (path: string, body: string, request: IncomingMessage) => Promise<string>,
) {
  const vite = await createViteServer({
    root,
    configFile: false,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false },
    optimizeDeps: { include: [page.dependency] },
    plugins: [
      {
        name: 'posts',
        configureServer: ({ middlewares }) => {
          middlewares.use((request, response, next) => {
            if (request.method !== 'POST') return next();
            text(request)
              .then((body) => receive(request.url ?? '', body, request))
              .then((reply) => response.end(reply), next);
          });
        },
      },
    ],
  });
  await vite.listen();
  const origin = `http://127.0.0.1:${((vite.httpServer as Server).address() as AddressInfo).port}`;
  const rules = adapterRules();
  const environment = await startClientEnvironment({
    corsRules: [await demoCorsRule(origin, rules)],
    corsOrigins: origin,
    rules,
    adapters: 'activestorage,vapor',
  });
  writeFileSync(join(root, 'index.html'), page.html);
  writeFileSync(join(root, 'main.js'), page.script(environment));
  return {
    origin,
    environment,
    close: async () => {
      await vite.close();
      await environment.close();
    },
  };
}

/** A page that runs its function `upload` with each file that a test sends it. */
async function openUploader(
  root: string,
  { imported, dependency }: { readonly imported: string; readonly dependency: string },
  open: typeof openChromium,
) {
  let next = Promise.withResolvers<SentFile>();
  let outcome = Promise.withResolvers<Outcome>();
  const served = await servePage(
    root,
    {
      dependency,
      // Pages of Rails have this element, and the package sends its content as X-CSRF-Token.
      html: '<!doctype html><meta name="csrf-token" content="a"><script type="module" src="/main.js"></script>',
      script: ({ service, token }) => `${adapterSnippet(imported, service.url)}
const post = async (path, body) => (await fetch(path, { method: 'POST', body: JSON.stringify(body) })).text();
for (;;) {
  const { name, type, text } = JSON.parse(await post('/next', {}));
  const done = upload(new File([text], name, { type }), '${token}');
  await post('/outcome', await done.then((value) => ({ value }), (error) => ({ error: error.message })));
}`,
    },
    async (path, body) => {
      if (path === '/outcome') outcome.resolve(JSON.parse(body));
      if (path !== '/next') return '';
      const file = await next.promise;
      next = Promise.withResolvers();
      return JSON.stringify(file);
    },
  );
  const browser = open(served.origin);
  return {
    environment: served.environment,
    upload: async (file: SentFile): Promise<Outcome> => {
      outcome = Promise.withResolvers();
      next.resolve(file);
      return await outcome.promise;
    },
    close: async () => {
      await browser.close();
      await served.close();
    },
  };
}

/** The statuses of the PUTs that reached OSS, also of those whose response was lost. */
const puts = ({ oss }: ClientEnvironment) =>
  oss.exchanges.filter(({ method }) => method === 'PUT').map(({ status }) => status);

/** Calls `complete` as the application does, whose rule only confirms. */
async function confirm(environment: ClientEnvironment, id: unknown) {
  const token = await environment.sign({ sub: 'backend', scope: '', client_id: 'app-backend' });
  const response = await fetch(`${environment.service.url}/v1/uploads/complete`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ id }),
  });
  return {
    status: response.status,
    body: (await response.json()) as { readonly receipt: string; readonly code: string },
  };
}

/** Expects that a receipt is for a file of `alice`, and that its object has the bytes. */
async function expectReceipt(environment: ClientEnvironment, receipt: string, file: SentFile) {
  const claims = decodeJwt(receipt);
  expect(claims).toMatchObject({ sub: 'alice', key: expect.stringMatching(/^users\/alice\/.*\.png$/) });
  expect(await environment.read(String(claims.key))).toMatchObject({
    status: 200,
    sha256: createHash('sha256').update(file.text).digest('hex'),
    headers: { 'content-type': file.type },
  });
}

describe.each(RAILS)('$client', ({ folder: name }) => {
  const folder = installPackage(name);

  describe.each(BROWSERS)('in $browser', ({ open }) => {
    let page: Awaited<ReturnType<typeof openUploader>>;
    beforeAll(async () => {
      const imported = "{ DirectUpload } from '@rails/activestorage'";
      page = await openUploader(folder, { imported, dependency: '@rails/activestorage' }, open);
    });
    afterAll(() => page.close());

    it.each([PHOTO, { ...PHOTO, name: 'empty.png', text: '' }])(
      'uploads $name, which the application confirms',
      async (file) => {
        page.environment.oss.interfere({});
        const { value, error } = await page.upload(file);
        expect([value, error]).toStrictEqual([{ signed_id: expect.any(String), error: null }, undefined]);
        expect(puts(page.environment)).toStrictEqual([200]);
        const { status, body } = await confirm(page.environment, (value as { signed_id: string }).signed_id);
        expect(status).toBe(200);
        await expectReceipt(page.environment, body.receipt, file);
      },
    );

    it('learns the status and the detail of a denied type', async () => {
      page.environment.service.interfere({});
      const { error } = await page.upload({ name: 'page.html', type: 'text/html', text: '<p>' });
      const { status, response } = page.environment.service.exchanges.at(-1) ?? { response: '{}' };
      expect(status).toBe(403);
      expect(error).toBe(JSON.parse(response).detail);
      expect(error).toContain('image/*');
    });

    it('fails when the response to the PUT is lost, and the application confirms all the same', async () => {
      page.environment.oss.interfere({ faults: ['lose response'] });
      const { value } = await page.upload(PHOTO);
      const { signed_id, error } = value as { signed_id: string; error: string };
      // A browser may repeat the PUT by itself, and then gets 409.
      const seen = puts(page.environment).length > 1 ? 409 : 0;
      expect(error).toBe(`Error storing "${PHOTO.name}". Status: ${seen}`);
      const { status, body } = await confirm(page.environment, signed_id);
      expect(status).toBe(200);
      await expectReceipt(page.environment, body.receipt, PHOTO);
    });

    it('leaves it to the application to learn that OSS rejected the PUT', async () => {
      page.environment.oss.interfere({ faults: [{ status: 403, body: '<Error/>' }] });
      const { value } = await page.upload(PHOTO);
      const { status, body } = await confirm(page.environment, (value as { signed_id: string }).signed_id);
      expect([status, body.code]).toStrictEqual([404, 'upload_absent']);
    });
  });

  it('submits a form with the upload id of a file from the disk', async () => {
    const submitted = Promise.withResolvers<string>();
    const served = await servePage(
      folder,
      {
        dependency: '@rails/activestorage',
        html: `<!doctype html><script type="module" src="/main.js"></script>
          <form method="post" action="/photos"><input type="file" name="photo"><button>Send</button></form>`,
        script: ({ service, token }) => `const token = '${token}';
document.querySelector('[type=file]').dataset.directUploadUrl = '${service.url}/v1/adapters/activestorage/direct_uploads';
${adapterSnippet("{ start } from '@rails/activestorage'", service.url)}
window.isReady = true;`,
      },
      async (_path, body) => {
        submitted.resolve(body);
        return 'Thank you.';
      },
    );
    onTestFinished(served.close);
    const chromium = await launchChromium();
    onTestFinished(() => chromium.close());
    const tab = await chromium.newPage();
    await tab.goto(served.origin);
    await tab.waitForFunction('window.isReady');
    const disk = mkdtempSync(join(tmpdir(), 'oss-presign-photo-'));
    onTestFinished(() => rmSync(disk, { recursive: true }));
    writeFileSync(join(disk, PHOTO.name), PHOTO.text);
    await tab.setInputFiles('[type=file]', join(disk, PHOTO.name));
    await tab.click('button');
    const id = new URLSearchParams(await submitted.promise).get('photo');
    const { status, body } = await confirm(served.environment, id);
    expect(status).toBe(200);
    await expectReceipt(served.environment, body.receipt, PHOTO);
  });
});

describe('laravel-vapor', () => {
  const folder = installPackage('vapor');

  describe.each(BROWSERS)('in $browser', ({ open }) => {
    let page: Awaited<ReturnType<typeof openUploader>>;
    beforeAll(async () => {
      const imported = "Vapor from 'laravel-vapor'";
      page = await openUploader(folder, { imported, dependency: 'laravel-vapor' }, open);
    });
    afterAll(() => page.close());

    it.each([PHOTO, { ...PHOTO, name: 'empty.png', text: '' }])(
      'uploads $name, and gets a receipt',
      async (file) => {
        page.environment.oss.interfere({});
        const { value, error } = await page.upload(file);
        expect(error).toBeUndefined();
        expect(puts(page.environment)).toStrictEqual([200]);
        await expectReceipt(page.environment, String(value), file);
      },
    );

    it('learns the detail of a denied type', async () => {
      page.environment.service.interfere({});
      const { error } = await page.upload({ name: 'page.html', type: 'text/html', text: '<p>' });
      const { status, response } = page.environment.service.exchanges.at(-1) ?? { response: '{}' };
      expect(status).toBe(403);
      expect(error).toBe(JSON.parse(response).detail);
    });

    it('gets a receipt when the response to the PUT is lost', async () => {
      page.environment.oss.interfere({ faults: ['lose response'] });
      const { value, error } = await page.upload(PHOTO);
      expect(error).toBeUndefined();
      expect(puts(page.environment)[0]).toBe(200);
      await expectReceipt(page.environment, String(value), PHOTO);
    });

    it('learns that the file is not there when OSS rejects the PUT', async () => {
      page.environment.oss.interfere({ faults: [{ status: 403, body: '<Error/>' }] });
      const { error } = await page.upload(PHOTO);
      const { response } = page.environment.service.exchanges.at(-1) ?? { response: '{}' };
      expect(JSON.parse(response).code).toBe('upload_absent');
      expect(error).toBe(JSON.parse(response).detail);
    });
  });

  it('learns what to send, in a page that passes no data', async () => {
    const outcome = Promise.withResolvers<{ status: number; errors: readonly { pointer: string }[] }>();
    const served = await servePage(
      folder,
      {
        dependency: 'laravel-vapor',
        html: '<!doctype html><script type="module" src="/main.js"></script>',
        script: ({ service, token }) => `import Vapor from 'laravel-vapor';
const { response } = await Vapor.store(new File(['a'], 'a.png', { type: 'image/png' }), {
  signedStorageUrl: '${service.url}/v1/adapters/vapor/signed-storage-url',
  headers: { Authorization: 'Bearer ${token}' },
}).catch((error) => error);
await fetch('/outcome', { method: 'POST', body: JSON.stringify({ status: response.status, ...response.data }) });`,
      },
      async (_path, body) => {
        outcome.resolve(JSON.parse(body));
        return '';
      },
    );
    onTestFinished(served.close);
    const browser = openChromium(served.origin);
    onTestFinished(browser.close);
    const { status, errors } = await outcome.promise;
    expect([status, errors.map(({ pointer }) => pointer)]).toStrictEqual([400, ['/filename', '/size']]);
    expect(JSON.stringify(errors)).toContain('data: { filename: file.name, size: file.size }');
  });
});
