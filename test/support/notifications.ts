import { Webhook } from 'standardwebhooks';
import { vi } from 'vitest';
import type { NotificationOutcome } from '../../src/grants/ports/notifier.ts';
import { createNotifier, type NotifierOptions } from '../../src/notifications/notifier.ts';
import { fixedClock, now } from './fixed-clock.ts';
import { startStandInServer } from './stand-in-server.ts';

/** `whsec_` and base64 of 32 different bytes. */
export function hookSecret(first = 0): string {
  return `whsec_${Buffer.from(Array.from({ length: 32 }, (_, index) => first + index)).toString('base64')}`;
}

/** A receiver on this machine that responds with these statuses in turn, and then with the last. */
export async function startReceiver(...statuses: readonly number[]) {
  const rest = [...statuses];
  const server = await startStandInServer(() => {
    const status = (rest.length > 1 ? rest.shift() : rest[0]) ?? 204;
    return { status, body: status === 204 ? '' : 'the-secret-response' };
  });
  return Object.assign(server, { url: `http://127.0.0.1:${server.port}/hooks/t0ken?key=h1dden` });
}

/** Verifies a notification as a backend does at this instant. Throws if it is not valid. */
export function verifyNotification(
  secret: string,
  { headers, body }: { readonly headers: NodeJS.Dict<string | string[]>; readonly body: string },
  at = now,
): unknown {
  vi.useFakeTimers({ toFake: ['Date'], now: at });
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>);
  } finally {
    vi.useRealTimers();
  }
}

/** A notifier that uses the network, and whose time-outs a test ends by hand. */
export function createTestNotifier(options: Partial<NotifierOptions> = {}) {
  const warnings: Readonly<Record<string, string>>[] = [];
  const outcomes: (readonly [string, NotificationOutcome])[] = [];
  const timeouts: { readonly ms: number; readonly end: () => void }[] = [];
  const notifier = createNotifier({
    fetch,
    clock: fixedClock,
    timers: {
      timeout(ms) {
        const controller = new AbortController();
        timeouts.push({ ms, end: () => controller.abort(new DOMException('late', 'TimeoutError')) });
        return controller.signal;
      },
    },
    log: { warn: (fields) => void warnings.push(fields) },
    observer: { notificationStarted: (rule) => (outcome) => void outcomes.push([rule, outcome]) },
    ...options,
  });
  return { notifier, warnings, outcomes, timeouts };
}
