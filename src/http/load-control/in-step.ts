/**
 * Awaited between two steps of a request: every request of a group finishes the one before any of them starts the next. Signing,
 * writing the log and sending run through so much code that, one request after the other, they evict each other from the processor's
 * caches.
 */
export const nextStep: Promise<void> = Promise.resolve();
