/** Steps of one time-out. */
const STEPS = 10;

/**
 * Settles like `action` if that takes at most `timeoutMs`; otherwise rejects with `ETIMEDOUT`.
 *
 * The action is not stopped, and its later outcome is ignored. Only time in which this process
 * reads its sockets counts. After a block or suspension, Node.js runs due timers before it reads
 * the data that arrived in the meantime, so a plain timer would blame the other side. The time-out
 * therefore consists of steps. Each step ends after the event loop has polled the sockets once
 * more. A step during which the process was blocked counts as one step, however long it took.
 * @throws Error with the code `ETIMEDOUT` and a message that may be shown to operators.
 */
export async function rejectAfter<T>(timeoutMs: number, action: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  let stepsLeft = STEPS;
  let immediate: NodeJS.Immediate | undefined;
  let timer = setTimeout(readSockets, timeoutMs / STEPS);

  function readSockets(): void {
    // The event loop runs timers, then polls the sockets, then runs immediates.
    immediate = setImmediate(endStep);
  }

  function endStep(): void {
    stepsLeft -= 1;
    if (stepsLeft > 0) timer = setTimeout(readSockets, timeoutMs / STEPS);
    else late.reject(Object.assign(new Error('no response in time'), { code: 'ETIMEDOUT' }));
  }

  try {
    return await Promise.race([action(), late.promise]);
  } finally {
    clearTimeout(timer);
    clearImmediate(immediate);
  }
}
