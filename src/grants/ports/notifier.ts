/** An event that a receiver is notified of. */
export type Notification = {
  /** The grant id: the same in each notification about an upload, so that receivers deduplicate. */
  readonly id: string;
  /** The rule of the upload. */
  readonly rule: string;
  readonly receiver: {
    readonly url: string;
    readonly timeoutMs: number;
    readonly secrets: readonly Uint8Array[];
  };
  readonly type: 'upload.stored';
  /** Serializable as JSON. */
  readonly data: Readonly<Record<string, unknown>>;
};

/**
 * - `delivered`: the receiver responded with 2xx in time.
 * - `rejected`: it responded with another status, which includes redirects.
 * - `failed`: no response in time, or no connection.
 * - `busy`: not sent, because too many notifications to this receiver are in progress.
 */
export const NOTIFICATION_OUTCOMES = ['delivered', 'rejected', 'failed', 'busy'] as const;
export type NotificationOutcome = (typeof NOTIFICATION_OUTCOMES)[number];

export type Notifier = {
  /**
   * Sends a notification once. While one about the same upload is being delivered to the same
   * address, waits for that delivery and returns its outcome. Resolves within the receiver's
   * timeout. Never rejects.
   * @param deadline resolves by then, if that is earlier.
   */
  notify(notification: Notification, deadline?: Date): Promise<NotificationOutcome>;
};

/** Observes the delivery of notifications. Its functions return at once and never throw. */
export type NotificationObserver = {
  /**
   * Called for each notification, except for one that waits for another's delivery.
   * @returns a function that is called once, when the delivery has ended.
   */
  notificationStarted(rule: string): (outcome: NotificationOutcome) => void;
};
