import { expect, it } from 'vitest';
import { createCrc64 } from '../../src/emulator/objects/crc64.ts';

it.each([
  ['', '0'],
  ['123456789', '11051210869376104954'],
  ['hello from the typescript sdk 世界', '2861621986004973752'],
])('the CRC-64 of %j is %s, in one piece or many', (text, sum) => {
  const bytes = Buffer.from(text);
  for (const size of [1, 3, 8, 1000]) {
    const crc = createCrc64();
    for (let start = 0; start < bytes.length; start += size) crc.update(bytes.subarray(start, start + size));
    expect(crc.digest()).toBe(sum);
  }
});
