const [QUOTE, BACKSLASH, COLON, LIST, OBJECT] = [0x22, 0x5c, 0x3a, 0x5b, 0x7b];

/**
 * Counts the objects, lists and members of a JSON text, up to a limit. Linear in its length and
 * much faster than parsing, which takes up to 0.1 s for a text of 1 MiB with many members. A text
 * that is not JSON has any count.
 */
export function countJsonParts(json: Uint8Array, limit: number): number {
  let count = 0;
  let isInString = false;
  for (let index = 0; index < json.length && count <= limit; index++) {
    const byte = json[index];
    if (isInString) {
      if (byte === BACKSLASH) index++;
      else if (byte === QUOTE) isInString = false;
    } else if (byte === QUOTE) isInString = true;
    else if (byte === COLON || byte === LIST || byte === OBJECT) count++;
  }
  return count;
}
