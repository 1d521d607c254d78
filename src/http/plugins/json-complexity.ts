const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT] = [0x22, 0x5c, 0x2c, 0x5b, 0x7b];

/**
 * Counts the members and list items of a JSON text, up to a limit; an empty object or list counts
 * as one. Linear in the length of the text and much faster than parsing: 1 MiB of members takes up
 * to 0.1 s to parse, and 1 MiB of items 0.05 s to parse and to search for `__proto__`. A text that
 * is not JSON has any count.
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
    // Each but the first member or item of an object or list follows a comma.
    else if (byte === COMMA || byte === LIST || byte === OBJECT) count++;
  }
  return count;
}
