import type { Clock } from '../clock.ts';
import type {
  Notification,
  NotificationObserver,
  NotificationOutcome,
  Notifier,
} from '../grants/ports/notifier.ts';
import { createLogThrottle } from '../log/log-throttle.ts';
import { callForStatus, hostOf } from '../net/http-call.ts';
import { isoSeconds } from '../text/iso-seconds.ts';
import { signatureHeaders } from './signature.ts';

export type NotifierOptions = {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly timers: {
    /** Returns a signal that is aborted after this time. */
    timeout(ms: number): AbortSignal;
  };
  readonly log: { warn(fields: Readonly<Record<string, string>>, message: string): void };
  readonly observer: NotificationObserver;
};

/** A receiver that does not respond must not use up the sockets and the memory of the process. */
const MAX_IN_PROGRESS = 32;

/** Each reason of a rule is logged once in this time. */
const LOG_INTERVAL_MS = 60_000;
const MAX_REMEMBERED_REASONS = 100;

/** How a delivery ended, with a reason for operators that names at most the host. */
type Ending =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: Exclude<NotificationOutcome, 'delivered'>; readonly reason: string };

/**
 * Creates the sender of notifications: one POST each, signed by Standard Webhooks. Every status of
 * 2xx is a success, and the body of the response does not matter. Redirects are not followed.
 *
 * Remembers what is in progress, by receiver: at most {@link MAX_IN_PROGRESS} deliveries. So a
 * receiver that does not respond neither delays nor prevents notifications to another one.
 */
export function createNotifier({ fetch, clock, timers, log, observer }: NotifierOptions): Notifier {
  /** The deliveries in progress, by address and id. */
  const receivers = new Map<string, Map<string, Promise<NotificationOutcome>>>();
  const mayLog = createLogThrottle({ intervalMs: LOG_INTERVAL_MS, maxNames: MAX_REMEMBERED_REASONS });

  return {
    notify(notification, deadline) {
      const { id, receiver } = notification;
      const leftMs = deadline === undefined ? Infinity : deadline.getTime() - clock().getTime();
      const withinMs = Math.min(receiver.timeoutMs, leftMs);
      const inProgress = receivers.get(receiver.url)?.get(id);
      if (inProgress) return withinMs > 0 ? endOf(inProgress, withinMs) : Promise.resolve('failed');
      return start(notification, withinMs);
    },
  };

  /** Remembers a delivery until it has ended. */
  function start(notification: Notification, withinMs: number): Promise<NotificationOutcome> {
    const { id, rule } = notification;
    const { url } = notification.receiver;
    const deliveries = receivers.get(url) ?? new Map<string, Promise<NotificationOutcome>>();
    const ended = observer.notificationStarted(rule);
    const report = (ending: Ending): NotificationOutcome => {
      ended(ending.outcome);
      if (ending.outcome !== 'delivered') warn(rule, hostOf(url), ending.reason);
      return ending.outcome;
    };
    if (deliveries.size >= MAX_IN_PROGRESS) {
      const reason = `${MAX_IN_PROGRESS} notifications to ${hostOf(url)} are in progress`;
      return Promise.resolve(report({ outcome: 'busy', reason }));
    }
    const delivery = deliver(notification, withinMs).then((ending) => {
      deliveries.delete(id);
      if (deliveries.size === 0) receivers.delete(url);
      return report(ending);
    });
    deliveries.set(id, delivery);
    receivers.set(url, deliveries);
    return delivery;
  }

  /** The outcome of another's delivery, if it ends within the time. */
  async function endOf(
    delivery: Promise<NotificationOutcome>,
    withinMs: number,
  ): Promise<NotificationOutcome> {
    const signal = timers.timeout(withinMs);
    const late = Promise.withResolvers<NotificationOutcome>();
    const giveUp = () => late.resolve('failed');
    signal.addEventListener('abort', giveUp);
    try {
      return await Promise.race([delivery, late.promise]);
    } finally {
      signal.removeEventListener('abort', giveUp);
    }
  }

  async function deliver({ id, receiver, type, data }: Notification, withinMs: number): Promise<Ending> {
    const { url, secrets } = receiver;
    if (withinMs <= 0)
      return { outcome: 'failed', reason: `no time was left for a notification to ${hostOf(url)}` };
    const timestampSeconds = Math.floor(clock().getTime() / 1000);
    const body = JSON.stringify({ type, timestamp: isoSeconds(timestampSeconds), data });
    try {
      const status = await callForStatus(url, {
        fetch,
        signal: timers.timeout(withinMs),
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'user-agent': 'oss-presign',
          ...signatureHeaders({ id, timestampSeconds, body }, secrets),
        },
        body: new TextEncoder().encode(body),
      });
      if (status >= 200 && status <= 299) return { outcome: 'delivered' };
      return { outcome: 'rejected', reason: `${hostOf(url)} responded with status ${status}` };
    } catch (error) {
      // Its message names the host and the system's error code. Its causes may name the address.
      return { outcome: 'failed', reason: (error as Error).message };
    }
  }

  function warn(rule: string, host: string, reason: string): void {
    if (!mayLog(`${rule} ${reason}`, clock().getTime())) return;
    log.warn({ rule, host, reason }, 'an upload is stored, but the receiver of its rule was not notified');
  }
}
