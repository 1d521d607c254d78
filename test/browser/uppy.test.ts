import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createViteServer } from 'vitest/node';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { browserSnippet, uppySnippet } from '../support/client-snippets.ts';
import { demoCorsRule } from './bucket-cors.ts';
import { launchChromium } from './chromium.ts';

const install = promisify(execFile);

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

describe.each([5, 6] as const)('the snippet of docs/clients.md for Uppy %i', (version) => {
  const folder = mkdtempSync(join(tmpdir(), `oss-presign-uppy-${version}-`));
  afterAll(() => rmSync(folder, { recursive: true }));
  beforeAll(async () => {
    cpSync(new URL(`uppy-${version}/`, import.meta.url), folder, { recursive: true });
    await install('npm', ['ci', '--ignore-scripts', '--silent'], { cwd: folder });
  });

  it.each([
    { name: 'Café 报告 😀.txt', type: 'text/plain', sizeBytes: 14 },
    { name: 'empty.png', type: 'image/png', sizeBytes: 0 },
    // Above 100 MiB Uppy would take to multipart uploads by itself.
    { name: 'film.mp4', type: 'video/mp4', sizeBytes: 101 * 1024 ** 2 },
  ])('uploads $name of $sizeBytes bytes', async ({ name, type, sizeBytes }) => {
    const { environment, tab } = await openUppy(version, folder);
    expect(await add(tab, name, type, sizeBytes)).toStrictEqual({ successful: 1, errors: [] });
    const [sent] = environment.oss.exchanges.filter(({ method }) => method === 'PUT');
    const key = JSON.parse(environment.service.exchanges.at(-1)?.response ?? '{}').key;
    expect(sent?.status).toBe(200);
    expect(await environment.read(key)).toMatchObject({
      status: 200,
      bytes: sizeBytes,
      headers: { 'content-type': type },
    });
  });

  it('shows the detail of the service when it denies a type', async () => {
    const { environment, tab } = await openUppy(version, folder);
    const { successful, errors } = await add(tab, 'page.html', 'text/html', 5);
    const { detail } = JSON.parse(environment.service.exchanges.at(-1)?.response ?? '{}');
    expect(successful).toBe(0);
    expect(errors.join()).toContain(detail);
  });
});

/** A page with the two snippets, in Chromium, against a bucket that has the rule of `bucket-cors`. */
async function openUppy(
  version: 5 | 6,
  root: string,
): Promise<{ environment: ClientEnvironment; tab: Page }> {
  const vite = await createViteServer({
    root,
    configFile: false,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, hmr: false, ws: false },
    optimizeDeps: { include: ['@uppy/core', '@uppy/aws-s3'] },
  });
  await vite.listen();
  onTestFinished(() => vite.close());
  const { port } = (vite.httpServer as Server).address() as AddressInfo;
  const origin = `http://127.0.0.1:${port}`;
  const environment = await startClientEnvironment({
    corsRules: [await demoCorsRule(origin)],
    corsOrigins: origin,
  });
  onTestFinished(environment.close);
  writeFileSync(join(root, 'index.html'), '<!doctype html><script type="module" src="/main.js"></script>');
  writeFileSync(
    join(root, 'main.js'),
    `const token = '${environment.token}';\n${uppySnippet(version)}\n${browserSnippet(environment.service.url)}\nwindow.uppy = uppy;\n`,
  );
  const tab = await browser.newPage();
  onTestFinished(() => tab.close());
  await tab.goto(origin);
  await tab.waitForFunction('window.uppy !== undefined');
  return { environment, tab };
}

/** Adds a file of zeros and uploads it. */
async function add(tab: Page, name: string, type: string, sizeBytes: number) {
  return await tab.evaluate(
    async ([name, type, sizeBytes]) => {
      // biome-ignore lint/suspicious/noExplicitAny: the page sets it.
      const { uppy } = globalThis as any;
      uppy.addFile({ name, type, data: new Blob([new Uint8Array(sizeBytes)], { type }) });
      const { successful, failed } = await uppy.upload();
      return {
        successful: successful.length as number,
        errors: failed.map(({ error }: { error: unknown }) => String(error)) as string[],
      };
    },
    [name, type, sizeBytes] as const,
  );
}
