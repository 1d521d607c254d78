import { describe, expect, it } from 'vitest';
import { combineCrc64 } from '../../src/emulator/objects/combine-crc64.ts';
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

describe('the CRC-64 of parts', () => {
  it.each([
    ['no parts', [], '0'],
    ['one part', [['11177612005948864433', 5]], '11177612005948864433'],
    [
      'two short parts',
      [
        ['6748440630437108969', 5],
        ['10278880121275185425', 4],
      ],
      '11051210869376104954',
    ],
    [
      'three parts',
      [
        ['16013806442744627541', 102_400],
        ['16013806442744627541', 102_400],
        ['1564134088860173973', 4],
      ],
      '12819210460374560892',
    ],
    [
      'an empty first part',
      [
        ['0', 0],
        ['3231342946509354535', 3],
      ],
      '3231342946509354535',
    ],
    [
      'an empty last part',
      [
        ['3231342946509354535', 3],
        ['0', 0],
      ],
      '3231342946509354535',
    ],
    [
      'parts of one byte',
      [
        ['3675645893302102789', 1],
        ['8406248661285262385', 1],
        ['14377374713186192222', 1],
      ],
      '3231342946509354535',
    ],
    [
      'a split character',
      [
        ['7669170721526172056', 2],
        ['4206494491075974290', 4],
      ],
      '16371802884590399230',
    ],
    [
      'zeros',
      [
        ['15337097285471591505', 102_400],
        ['2282658103124508505', 1],
      ],
      '13076974953196332418',
    ],
    [
      '5 GiB',
      [
        ['11177612005948864433', 5],
        ['4472352582074980600', 5 * 1024 ** 3],
      ],
      '4786314621343474307',
    ],
  ] as const)('is computed for %s', (_name, parts, combined) => {
    expect(combineCrc64(parts.map(([crc64, sizeBytes]) => ({ crc64, sizeBytes })))).toBe(combined);
  });
});
