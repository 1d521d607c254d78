/** 96 random bits: a collision between any two requests of all replicas is negligible. */
const ID_BYTES = 12;

/**
 * Random bytes are drawn for many ids at once, because drawing takes much longer than formatting an
 * id.
 */
const IDS_PER_DRAW = 256;

/**
 * Creates the generator of request ids: 24 random hexadecimal digits. They do not reveal the number
 * of requests.
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
 * The request id that the client sent in `X-Request-Id`, if it has 1 to 128 safe characters. It is
 * logged as `clientRequestId` only: two clients can send the same one, so it never takes the place
 * of the service's own id.
 */
export function clientRequestId(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' && SAFE_ID.test(header) ? header : undefined;
}
