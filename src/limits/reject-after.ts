/** The deadline is checked in this many steps. */
const STEPS = 10;

/**
 * Settles as `action` does if it does so within `timeoutMs`, else rejects with an error of the code `ETIMEDOUT`. The action
 * itself is not stopped; what becomes of it later is ignored.
 *
 * Only time in which this process reads its sockets counts. A process that is blocked or suspended for a while runs its timers before it
 * reads what has arrived meanwhile, and would blame the other side. So each step ends after the event loop has read its sockets once
 * more, and a step that was blocked counts as one step, however long it took.
 */
export async function rejectAfter<T>(timeoutMs: number, action: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  let stepsLeft = STEPS;
  let immediate: NodeJS.Immediate | undefined;
  let timer = setTimeout(readSockets, timeoutMs / STEPS);

  function readSockets(): void {
    // Node runs timers, then reads sockets, then runs immediates.
    immediate = setImmediate(endStep);
  }

  function endStep(): void {
    stepsLeft -= 1;
    if (stepsLeft > 0) timer = setTimeout(readSockets, timeoutMs / STEPS);
    else late.reject(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
  }

  try {
    return await Promise.race([action(), late.promise]);
  } finally {
    clearTimeout(timer);
    clearImmediate(immediate);
  }
}
