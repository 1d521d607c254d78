/** Enough that no two requests of all replicas ever get the same id. */
const ID_BYTES = 12;

/** Drawing random bytes takes many times as long as making an id from them. */
const IDS_PER_DRAW = 256;

/**
 * Creates the generator of request ids: 24 random hexadecimal digits. They do not reveal how many other requests there are.
 * @param drawRandom fills the bytes with random ones, e.g. `randomFillSync`.
 */
export function createRequestIds(drawRandom: (bytes: Buffer) => void): () => string {
  const bytes = Buffer.alloc(ID_BYTES * IDS_PER_DRAW);
  let used = bytes.length;
  return () => {
    if (used === bytes.length) {
      drawRandom(bytes);
      used = 0;
    }
    used += ID_BYTES;
    return bytes.toString('hex', used - ID_BYTES, used);
  };
}

const SAFE_ID = /^[\w.:/+=@-]{1,128}$/;

/**
 * The request id that the client sent in `X-Request-Id`, if it has 1 to 128 safe characters. It is logged as `clientRequestId` only:
 * two clients can send the same one, so it never takes the place of the service's own id.
 */
export function clientRequestId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && SAFE_ID.test(header) ? header : undefined;
}
