import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { downloadRule } from '../support/downloads.ts';
import { policyWith } from '../support/policies.ts';
import { BUCKET, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';
import { launchChromium } from './chromium.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

async function setUp() {
  const emulator = await startTestEmulator();
  const targets = { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } };
  const service = await startTestService({
    policyYaml: policyWith({ targets, rules: [downloadRule({ inline: true })] }),
  });
  await emulator.put('users/alice/0001.txt', 'hello');
  const tab = await browser.newPage();
  onTestFinished(() => tab.close());
  return {
    tab,
    async urlOf(request: object): Promise<string> {
      const response = await fetch(`${service.url}/v1/downloads`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${await service.issuer.sign()}`,
          'content-type': 'application/json',
        },
        body: JSON.stringify({ key: 'users/alice/0001.txt', ...request }),
      });
      expect(response.status).toBe(200);
      return ((await response.json()) as { url: string }).url;
    },
  };
}

it.each([
  [undefined, '0001.txt'],
  ['my report (1); a=b, c.txt', 'my report (1); a=b, c.txt'],
  ['报告 最终.txt', '报告 最终.txt'],
  ['تقرير.txt', 'تقرير.txt'],
  ['😀.txt', '😀.txt'],
  ['100%25 %.txt', '100%25 %.txt'],
  // Chromium replaces what no file system of Windows takes.
  ['say "hi".txt', 'say _hi_.txt'],
])('an object that is asked for as %j is saved as %j', async (filename, saved) => {
  const { tab, urlOf } = await setUp();
  const url = await urlOf(filename === undefined ? {} : { filename });
  await tab.setContent(`<a href="${url.replaceAll('&', '&amp;')}">download</a>`);
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('a')]);
  expect(download.suggestedFilename()).toBe(saved);
});

it('an object that is asked for inline is shown', async () => {
  const { tab, urlOf } = await setUp();
  await tab.goto(await urlOf({ disposition: 'inline' }));
  expect(await tab.textContent('body')).toBe('hello');
});
