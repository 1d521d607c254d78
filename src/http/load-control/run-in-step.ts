/**
 * Resolved already. Awaiting it lets the other requests of the group finish the same step first.
 */
const others: Promise<void> = Promise.resolve();

/**
 * Runs the three steps of a request: handle, serialize, send. All requests of a group
 * (request-groups.ts) finish one step before any of them starts the next. Handling, serializing and
 * sending run through so much code that, one request after the other, they evict each other from
 * the processor's caches.
 * @returns what the last step returns; rejects with what any of them throws.
 */
export async function runInStep<Handled, Serialized, Sent>(
  handle: () => Handled | Promise<Handled>,
  serialize: (handled: Handled) => Serialized,
  send: (handled: Handled, serialized: Serialized) => Sent,
): Promise<Sent> {
  const handled = await handle();
  await others;
  const serialized = serialize(handled);
  await others;
  return send(handled, serialized);
}
