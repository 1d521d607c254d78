import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const CHROMIUM_OPTIONS = [
  '--headless',
  // The sandbox does not start for root, as which containers and CI often run.
  '--no-sandbox',
  // Containers often have too little shared memory, without which pages crash.
  '--disable-dev-shm-usage',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const FIREFOX_PREFERENCES = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.aboutwelcome.enabled': false,
  'browser.download.always_ask_before_handling_new_types': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
};

export type OpenBrowser = { close(): Promise<void> };

/**
 * Opens a page in a Chromium without a window, with a new profile and without automation: the page has to report by
 * itself. CHROMIUM names the program, by default the one of Debian.
 * @throws Error where there is none: the suite fails then, it does not skip.
 */
export function openChromium(url: string): OpenBrowser {
  return open(process.env.CHROMIUM ?? '/usr/bin/chromium', (profile) => [
    ...CHROMIUM_OPTIONS,
    `--user-data-dir=${profile}`,
    url,
  ]);
}

/** The same for Firefox, which FIREFOX names. playwright-core drives only a Firefox that it has patched. */
export function openFirefox(url: string): OpenBrowser {
  return open(process.env.FIREFOX ?? '/usr/bin/firefox-esr', (profile) => {
    const preferences = Object.entries(FIREFOX_PREFERENCES).map(
      ([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`,
    );
    writeFileSync(join(profile, 'user.js'), preferences.join(''));
    return ['--headless', '--no-remote', '--profile', profile, url];
  });
}

function open(executablePath: string, argumentsFor: (profile: string) => readonly string[]): OpenBrowser {
  if (!existsSync(executablePath)) throw new Error(`There is no browser at ${executablePath}: install it.`);
  const profile = mkdtempSync(join(tmpdir(), 'oss-presign-browser-'));
  const browser = spawn(executablePath, argumentsFor(profile), {
    stdio: 'ignore',
    // A new process group, so that its child processes end with it.
    detached: true,
    env: { ...process.env, HOME: profile, MOZ_CRASHREPORTER_DISABLE: '1' },
  });
  const ended = once(browser, 'exit');
  return {
    close: async () => {
      if (browser.pid !== undefined) process.kill(-browser.pid, 'SIGKILL');
      await ended;
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    },
  };
}
