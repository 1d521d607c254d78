/**
 * The outcome of the work, or a rejection when it takes longer. What then becomes of the work is of no more interest.
 * @throws Error `no answer in time`, which may be shown to operators.
 */
export async function withinLimit<T>(work: Promise<T>, limitMs: number): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('no answer in time')), limitMs);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
