/**
 * Takes the picture of the README: starts the demo's servers on free ports, uploads a file through the
 * demo page with a real Chromium, and writes `docs/images/demo.png`. CHROMIUM names the browser.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import process from 'node:process';
import { chromium } from 'playwright-core';

const MAX_BYTES = 150_000;

const root = new URL('../', import.meta.url);
const picture = new URL('docs/images/demo.png', root);

const servers = spawn(process.execPath, ['src/demo/dev.ts', '--port', '0'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // The sandbox does not start for root, as which containers and CI often run.
  args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const tab = await browser.newPage({ viewport: { width: 760, height: 704 }, colorScheme: 'light' });
  await tab.goto(await serviceUrl());
  await tab.setInputFiles('[name=file]', {
    name: 'photo.png',
    mimeType: 'image/png',
    buffer: Buffer.alloc(48_213),
  });
  await tab.click('button');
  await tab.getByRole('status').filter({ hasText: 'Uploaded as' }).waitFor();
  const png = await tab.screenshot();
  if (png.length > MAX_BYTES) throw new Error(`The picture has ${png.length} bytes; at most ${MAX_BYTES}.`);
  writeFileSync(picture, png);
  process.stdout.write(`docs/images/demo.png written, ${png.length} bytes\n`);
} finally {
  await browser.close();
  servers.kill('SIGTERM');
}

/** The address in the banner of `npm run dev`. */
async function serviceUrl(): Promise<string> {
  let banner = '';
  for await (const chunk of servers.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    banner += chunk;
    const [, url] = /^ {2}service +(\S+)$/m.exec(banner) ?? [];
    if (url !== undefined && banner.includes('Ctrl+C')) return url;
  }
  throw new Error('The servers of the demo ended before they were ready.');
}
