import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { onTestFinished } from 'vitest';
import type { CorsRule } from '../../src/emulator/emulator.ts';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';

type EnvironmentOptions = Pick<
  NonNullable<Parameters<typeof startClientEnvironment>[0]>,
  'policyFile' | 'claims'
>;

const html = readFileSync(new URL('../../examples/browser/index.html', import.meta.url), 'utf8');

export type UploadPage = {
  readonly environment: ClientEnvironment;
  /** The messages on the console of the browser. */
  readonly console: readonly string[];
  readonly tab: Page;
  /** Fills in the form like a person, and returns the message that the page shows then. */
  upload(file: string, key?: string, metadata?: string): Promise<string>;
};

/**
 * The page of `examples/browser`, served from an origin of its own and open in a tab; the service allows that origin.
 * @param corsRules makes the bucket's rules from the page's origin.
 * @param change replaces text of the page that a person might have written otherwise.
 */
export async function openUploadPage(
  browser: Browser,
  {
    corsRules,
    change,
    ...options
  }: EnvironmentOptions & {
    readonly corsRules: (origin: string) => readonly CorsRule[];
    readonly change?: readonly [string, string];
  },
): Promise<UploadPage> {
  const source = change ? html.replace(...change) : html;
  if (change && source === html) throw new Error(`The page does not hold ${change[0]}`);
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html; charset=utf-8').end(source);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const environment = await startClientEnvironment({
    ...options,
    corsRules: corsRules(origin),
    corsOrigins: origin,
  });
  const tab = await browser.newPage();
  onTestFinished(async () => {
    await tab.close();
    server.closeAllConnections();
    server.close();
    await environment.close();
  });
  const messages: string[] = [];
  tab.on('console', (message) => messages.push(message.text()));
  await tab.goto(origin);
  return {
    environment,
    tab,
    console: messages,
    upload: async (file, key = '', metadata = '') => {
      await tab.fill('[name=service]', environment.service.url);
      await tab.fill('[name=token]', environment.token);
      await tab.setInputFiles('[name=file]', file);
      await tab.fill('[name=key]', key);
      await tab.fill('[name=meta]', metadata);
      await tab.click('button');
      await tab.waitForSelector('output:not(:empty)', { timeout: 50_000 });
      return (await tab.textContent('output')) ?? '';
    },
  };
}

/** A folder that is gone when the test ends. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-browser-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}
