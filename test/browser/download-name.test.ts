import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { PutGrant } from '../../src/grants/upload/response.ts';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { BUCKET, REGION, startTestEmulator } from '../support/test-emulator.ts';
import { startTestService } from '../support/test-service.ts';
import { launchChromium } from './chromium.ts';

const policyYaml = (endpoint: string) =>
  policyWith({
    targets: { media: { bucket: BUCKET, region: REGION, endpoint } },
    rules: [ownFilesRule({ contentTypes: ['text/plain'], keepFilename: true })],
  });

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

it.each([
  ['report.txt', 'report.txt'],
  ['my report (1); a=b, c.txt', 'my report (1); a=b, c.txt'],
  ['报告 最终.txt', '报告 最终.txt'],
  ['😀.txt', '😀.txt'],
  ['100%25 %.txt', '100%25 %.txt'],
  // Chromium normalizes names, and replaces joiners and what no file system of Windows takes.
  ['Cafe\u0301.txt', 'Caf\u00e9.txt'],
  ['👩\u200d👩\u200d👧.txt', '👩_👩_👧.txt'],
  ['say "hi".txt', 'say _hi_.txt'],
])('a file that was uploaded as %j is downloaded as %j', async (filename, saved) => {
  const emulator = await startTestEmulator();
  const service = await startTestService({ policyYaml: policyYaml(emulator.url) });
  const asked = await fetch(`${service.url}/v1/uploads`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await service.issuer.sign()}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ filename, contentType: 'text/plain', contentLength: 5 }),
  });
  expect(asked.status).toBe(201);
  const { url, headers, key } = (await asked.json()) as PutGrant;
  expect((await fetch(url, { method: 'PUT', headers, body: 'hello' })).status).toBe(200);

  const tab = await browser.newPage();
  onTestFinished(() => tab.close());
  await tab.setContent(
    `<a href="${emulator.presign({ method: 'GET', key }).replaceAll('&', '&amp;')}">download</a>`,
  );
  const [download] = await Promise.all([tab.waitForEvent('download'), tab.click('a')]);
  expect(download.suggestedFilename()).toBe(saved);
});
