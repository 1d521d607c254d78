import { readFileSync } from 'node:fs';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { policyWith } from '../support/policies.ts';
import { startTestService } from '../support/test-service.ts';
import { launchChromium } from './chromium.ts';

const openApi = parse(readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8'));
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const ISSUE_UPLOAD = '#operations-Uploads-issueUpload';
const GET_POLICY = '#operations-Uploads-getPolicy';

let browser: Browser;
beforeAll(async () => {
  browser = await launchChromium();
});
afterAll(() => browser.close());

type DocsPage = {
  readonly tab: Page;
  /** A token of `alice`. */
  readonly token: string;
  readonly origin: string;
  /** Each address that the page asked for, or was kept from asking for. */
  readonly requested: readonly string[];
  /** Faults of the page: errors of the console, exceptions and violations of the Content-Security-Policy. */
  readonly faults: readonly string[];
};

/** A running service, and its page open in a tab. @param prefix what a proxy in front takes away from each path. */
async function openDocs({ path = '/docs', prefix = '', viewport = DESKTOP } = {}): Promise<DocsPage> {
  const { url: origin, issuer } = await startTestService({ policyYaml: policyWith() });
  const context = await browser.newContext({ viewport });
  onTestFinished(() => context.close());
  const tab = await context.newPage();
  const requested: string[] = [];
  const faults: string[] = [];
  tab.on('request', (request) => requested.push(request.url()));
  tab.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) faults.push(message.text());
  });
  tab.on('pageerror', (error) => faults.push(String(error)));
  await tab.exposeFunction('reportViolation', (violation: string) => void faults.push(violation));
  await tab.addInitScript(`addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI }) =>
    reportViolation(violatedDirective + ': ' + blockedURI))`);
  if (prefix) {
    await tab.route('**', async (route) => {
      const { pathname } = new URL(route.request().url());
      if (!pathname.startsWith(`${prefix}/`)) return route.fulfill({ status: 502 });
      return route.fulfill({
        response: await route.fetch({ url: origin + pathname.slice(prefix.length) }),
      });
    });
  }
  await tab.goto(origin + prefix + path);
  await tab.waitForSelector('.opblock');
  return { tab, token: await issuer.sign(), origin, requested, faults };
}

/** Does what a person does: pastes the token, opens the operation, sends the request and reads the response. */
async function tryOut({ tab, token }: DocsPage, operation: string): Promise<unknown> {
  await tab.click('.auth-wrapper .authorize');
  await tab.fill('#auth-bearer-value', token);
  await tab.click('.auth-container .authorize');
  await tab.click('.auth-container .btn-done');
  await tab.click(`${operation} .opblock-summary-control`);
  await tab.click(`${operation} .try-out__btn`);
  await tab.click(`${operation} .execute`);
  const response = tab.locator(`${operation} .live-responses-table .response`);
  return {
    status: await response.locator('.response-col_status').textContent(),
    body: JSON.parse((await response.locator('.response-col_description code').first().textContent()) ?? ''),
  };
}

describe.each([
  ['on a desktop', DESKTOP],
  ['on a phone', PHONE],
])('%s', (_title, viewport) => {
  it('shows every operation, and all fields of an upload with what they mean', async () => {
    const { tab, faults } = await openDocs({ viewport });
    const shown = await tab.locator('.opblock-summary-path').allTextContents();
    // A path may break between its words, where the page puts a character without width.
    expect(shown.map((path) => path.replaceAll('\u200b', '')).sort()).toStrictEqual(
      Object.keys(openApi.paths).sort(),
    );
    await tab.click(`${ISSUE_UPLOAD} .opblock-summary-control`);
    const body = tab.locator(`${ISSUE_UPLOAD} .opblock-section-request-body`);
    const { properties } = openApi.components.schemas.UploadRequest;
    for (const [name, { description }] of Object.entries<{ description: string }>(properties)) {
      const field = body.locator('.json-schema-2020-12-property', {
        // Descriptions name other fields, so only the title identifies the field.
        has: tab.locator('.json-schema-2020-12__title').getByText(name, { exact: true }),
      });
      await field.first().waitFor({ state: 'visible', timeout: 10_000 });
      expect(await field.first().textContent(), name).toContain(description.replaceAll('`', ''));
    }
    expect(faults).toStrictEqual([]);
  });

  it('needs no scrolling sideways, neither to read nor to try', async () => {
    const page = await openDocs({ viewport });
    const width = () => page.tab.evaluate('document.documentElement.scrollWidth');
    await page.tab.click(`${ISSUE_UPLOAD} .opblock-summary-control`);
    await page.tab.locator(`${ISSUE_UPLOAD} .responses-table`).waitFor();
    expect(await width()).toBe(viewport.width);
    const examples = page.tab.locator(`${ISSUE_UPLOAD} .tab button`, { hasText: 'Example' });
    for (const example of await examples.all()) await example.click();
    expect(await width()).toBe(viewport.width);
    await page.tab.click(`${ISSUE_UPLOAD} .opblock-summary-control`);
    await tryOut(page, ISSUE_UPLOAD);
    expect(await width()).toBe(viewport.width);
  });
});

it.each(['/docs', '/docs/'])('%s loads everything from the service itself', async (path) => {
  const { origin, requested, faults } = await openDocs({ path });
  expect(requested.toSorted()).toStrictEqual(
    [
      path,
      ...['favicon-32x32.png', 'page.css', 'page.js', 'swagger-ui-bundle.js', 'swagger-ui.css'].map(
        (file) => `/docs/${file}`,
      ),
      '/openapi.yaml',
    ].map((one) => origin + one),
  );
  expect(faults).toStrictEqual([]);
});

it('shows no other document, even if the query of its address names one', async () => {
  const { tab, origin, requested, faults } = await openDocs({
    path: '/docs?url=https://evil.example/openapi.yaml&configUrl=https://evil.example/config.json&validatorUrl=https://evil.example/',
  });
  expect(await tab.textContent('.info .title')).toContain(openApi.info.title);
  expect(requested.filter((url) => !url.startsWith(`${origin}/`))).toStrictEqual([]);
  expect(faults).toStrictEqual([]);
});

it('is granted an upload with the token that was pasted, and the example as it stands', async () => {
  const page = await openDocs();
  expect(await tryOut(page, ISSUE_UPLOAD)).toMatchObject({
    status: '201',
    body: { method: 'PUT', key: 'users/alice/photo.png', contentLength: 48213 },
  });
  expect(page.requested.filter((url) => !url.startsWith(`${page.origin}/`))).toStrictEqual([]);
  expect(page.faults).toStrictEqual([]);
});

it('forgets the token with the page', async () => {
  const page = await openDocs();
  expect(await tryOut(page, GET_POLICY)).toMatchObject({ status: '200' });
  expect(await page.tab.context().storageState({ indexedDB: true })).toStrictEqual({
    cookies: [],
    origins: [],
  });
  expect(await page.tab.evaluate('sessionStorage.length')).toBe(0);
  await page.tab.reload();
  await page.tab.click('.auth-wrapper .authorize');
  expect(await page.tab.inputValue('#auth-bearer-value')).toBe('');
});

it('works below the prefix of a proxy', async () => {
  const page = await openDocs({ prefix: '/uploads' });
  expect(await tryOut(page, GET_POLICY)).toMatchObject({
    status: '200',
    body: { rules: [{ name: 'own-files' }] },
  });
  expect(page.requested.filter((url) => !url.startsWith(`${page.origin}/uploads/`))).toStrictEqual([]);
  expect(page.faults).toStrictEqual([]);
});
