import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { startDev } from '../support/dev-server.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

it('the demo page uploads, and shows each fault of a denial once, without a progress bar that looks like success', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-page-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'page.html');
  writeFileSync(file, '<p>hello');
  const { serviceUrl } = await startDev(['--port', '0']);
  const tab = await browser.newPage();
  onTestFinished(() => tab.close());
  await tab.goto(serviceUrl);
  expect(await tab.getAttribute('[name=key]', 'placeholder')).toBe('users/alice/photo.png');

  await tab.setInputFiles('[name=file]', file);
  await tab.fill('[name=key]', 'users/bob/page.html');
  await tab.click('button');
  const failure = tab.getByRole('alert');
  await failure.filter({ hasText: 'key' }).waitFor();
  const lines = ((await failure.textContent()) ?? '').split('\n');
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatch(/users\/alice\//);
  expect(lines[1]).toMatch(/content type/i);
  expect(await tab.isVisible('progress')).toBe(false);

  writeFileSync(join(folder, 'photo.png'), 'hello');
  await tab.setInputFiles('[name=file]', join(folder, 'photo.png'));
  await tab.fill('[name=key]', '');
  await tab.click('button');
  await tab.getByRole('status').filter({ hasText: 'Uploaded as users/alice/' }).waitFor();
  expect(await failure.textContent()).toBe('');
  expect(await tab.getByRole('progressbar', { name: 'Upload progress' }).isVisible()).toBe(true);
});
