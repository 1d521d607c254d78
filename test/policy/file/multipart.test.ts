import { describe, expect, it } from 'vitest';
import { faultsOf, policyOf, withRules } from './policy-file-text.ts';

const GIB = 1024 ** 3;
const TIB = 1024 ** 4;
const COMMON = 'name: r, who: { scope: s }, target: media, prefix: "p/", contentTypes: [image/*]';

/** A policy with one rule whose uploads can have parts, and these fields. */
function multipartRule(fields: string, transfers = '[put, multipart]'): string {
  const maxSize = /\bmaxSize:/.test(fields) ? '' : ', maxSize: 1MiB';
  return withRules(`{ ${COMMON}${maxSize}, transfers: ${transfers}${fields && `, ${fields}`} }`);
}

const ruleOf = (fields: string, transfers?: string) => policyOf(multipartRule(fields, transfers)).rules[0];
const faultsWith = (fields: string, transfers?: string) => faultsOf(multipartRule(fields, transfers));

describe('the parts of a rule', () => {
  it('have 8 MiB, and an upload can be continued for 7 days, unless the rule sets otherwise', () => {
    const defaults = { partSize: 8 * 1024 ** 2, uploadExpiresInSeconds: 604_800 };
    expect(ruleOf('', '[multipart]')).toMatchObject({ transfers: ['multipart'], ...defaults });
    expect(ruleOf('partSize: 64MiB, uploadExpiresIn: 1d')).toMatchObject({
      partSize: 64 * 1024 ** 2,
      uploadExpiresInSeconds: 86_400,
    });
  });

  it.each([
    ['100KiB', 102_400],
    ['102400', 102_400],
    ['5GiB', 5 * GIB],
    ['6.5MB', 6_500_000],
  ])('can have %s', (partSize, bytes) => {
    expect(ruleOf(`partSize: ${partSize}`)?.partSize).toBe(bytes);
  });

  it.each(['99KiB', '102399', '5.1GiB', '1TiB'])('cannot have %s', (partSize) => {
    expect(faultsWith(`partSize: ${partSize}`)).toStrictEqual([
      '6 rules[0].partSize: must be a size from 100KiB to 5GiB, the limits of OSS for a part',
    ]);
  });

  it.each([
    ['partSize: big', 'partSize: must be a size greater than 0, such as 500KiB, 50MiB or 1GB'],
    ['partSize: [8MiB]', 'partSize: must be text or a whole number, such as 8MiB'],
    ['uploadExpiresIn: 8d', 'uploadExpiresIn: must not be longer than 7 days (604800 s)'],
    [
      'uploadExpiresIn: 0',
      'uploadExpiresIn: must be a duration of at least one second, such as 90s, 10m or 1h',
    ],
    ['uploadExpiresIn: true', 'uploadExpiresIn: must be text or a whole number, such as 7d'],
    ['partsize: 8MiB', 'partsize: is not a field of the policy file; did you mean "partSize"?'],
  ])('cannot be described by %s', (fields, fault) => {
    expect(faultsWith(fields)).toStrictEqual([`6 rules[0].${fault}`]);
  });

  it.each(['[put]', '[form]', '[put, form]'])('mean nothing with transfers: %s', (transfers) => {
    expect(faultsWith('partSize: 8MiB, uploadExpiresIn: 1d', transfers)).toStrictEqual([
      '6 rules[0].partSize: means nothing without multipart in transfers; leave it out',
      '6 rules[0].uploadExpiresIn: means nothing without multipart in transfers; leave it out',
    ]);
  });

  it('mean nothing without transfers', () => {
    expect(faultsOf(withRules(`{ ${COMMON}, maxSize: 1MiB, partSize: 8MiB }`))).toStrictEqual([
      '6 rules[0].partSize: means nothing without multipart in transfers; leave it out',
    ]);
  });
});

describe('a rule for uploads in parts', () => {
  it.each([
    ['5GiB', 5 * GIB],
    ['5.1GiB', Math.floor(5.1 * GIB)],
    ['1TB', 1e12],
    ['48.8TiB', Math.floor(48.8 * TIB)],
    ['53687091200000', 53_687_091_200_000],
    ['unlimited', null],
  ])('allows maxSize: %s', (maxSize, bytes) => {
    expect(ruleOf(`maxSize: ${maxSize}`)?.maxSize).toBe(bytes);
  });

  it.each(['53687091200001', '49TiB', '54TB'])('rejects maxSize: %s', (maxSize) => {
    expect(faultsWith(`maxSize: ${maxSize}`)).toStrictEqual([
      '6 rules[0].maxSize: must not be more than 48.8 TiB, the limit of OSS for an object',
    ]);
  });

  it.each(['5GB', '5GiB'])('is not needed for maxSize: %s', (maxSize) => {
    expect(faultsWith(`maxSize: ${maxSize}`, '[put]')).toStrictEqual([]);
  });

  it.each(['5368709121', '5.1GiB', '6GB', '48TiB'])('is needed for maxSize: %s', (maxSize) => {
    for (const transfers of ['[put]', '[form]', '[put, form]'])
      expect(faultsWith(`maxSize: ${maxSize}`, transfers)).toStrictEqual([
        '6 rules[0].maxSize: must not be more than 5 GiB, the limit of OSS for one PUT; for larger files, add multipart to transfers',
      ]);
  });

  it('cannot turn receipts off, because parts need the upload id', () => {
    expect(faultsWith('receipts: false')).toStrictEqual([
      '6 rules[0].receipts: must not be false with multipart in transfers, because parts need the upload id; remove one of the two',
    ]);
    expect(faultsWith('receipts: true')).toStrictEqual([]);
  });

  it.each(['Content-Language', 'content-language'])('cannot have %s, which no call reads', (header) => {
    const fields = `headers: { ${header}: zh-CN }`;
    expect(faultsWith(fields, '[put]')).toStrictEqual([]);
    expect(faultsWith(fields)).toStrictEqual([
      `6 rules[0].headers.${header}: cannot be part of a multipart upload; remove it, or leave multipart out of transfers`,
    ]);
  });

  it.each(['x-oss-copy-source', 'Content-MD5'])('cannot have %s, as no rule can: one fault', (header) => {
    const fields = `headers: { ${header}: a }`;
    const faults = faultsWith(fields, '[put]');
    expect(faults).toStrictEqual([
      expect.stringContaining(`6 rules[0].headers.${header}: cannot be added by a rule; `),
    ]);
    expect(faultsWith(fields)).toStrictEqual(faults);
    expect(faultsWith(fields, '[put, form]')).toStrictEqual(faults);
  });

  it('can have every header that a call of a multipart upload reads', () => {
    const headers = [
      'Cache-Control: no-store, Content-Disposition: none, content-encoding: gzip, x-oss-tagging: a=b',
      'x-oss-object-acl: private, X-OSS-Storage-Class: IA, x-oss-traffic-limit: 819200, x-oss-meta-team: web',
      'x-oss-server-side-encryption: AES256, x-oss-request-payer: requester',
    ];
    for (const some of headers) expect(faultsWith(`headers: { ${some} }`)).toStrictEqual([]);
  });
});
