/** As many as make it certain that no two requests of all copies ever have the same id. */
const ID_BYTES = 12;

/** A draw of random bytes takes many times as long as an id that is made of them. */
const IDS_PER_DRAW = 256;

/**
 * Makes the ids of requests: 24 hexadecimal digits by chance. They tell nobody how many others there are.
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
