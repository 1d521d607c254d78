/**
 * Settles as `action` does if it does so within `timeoutMs`, else rejects with an error of the code `ETIMEDOUT`. The action
 * itself is not stopped; what becomes of it later is ignored.
 */
export async function rejectAfter<T>(timeoutMs: number, action: () => Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    late.reject(Object.assign(new Error(`no answer within ${timeoutMs} ms`), { code: 'ETIMEDOUT' }));
  }, timeoutMs);
  try {
    return await Promise.race([action(), late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
