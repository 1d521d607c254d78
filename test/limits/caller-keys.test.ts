import { expect, it } from 'vitest';
import { createCallerKeys } from '../../src/limits/caller-keys.ts';
import { anUpload } from '../support/limiter.contract.ts';

// SHA-256 of `["https://login.test/","alice@example.com","own-files"]`, computed with OpenSSL.
it('does not identify the caller, and puts all keys into one slot of a cluster', () => {
  expect(createCallerKeys()(anUpload({ subject: 'alice@example.com' }))).toStrictEqual([
    'oss-presign:{I3gM_F1i8xr_TzkWwkwUdcRgTbqq8MqNl-IXF6D3Pyw}:requestsPerMinute',
    'oss-presign:{I3gM_F1i8xr_TzkWwkwUdcRgTbqq8MqNl-IXF6D3Pyw}:bytesPerDay',
    'oss-presign:{I3gM_F1i8xr_TzkWwkwUdcRgTbqq8MqNl-IXF6D3Pyw}:callsPerMinute',
  ]);
});

it('caches the keys of the latest callers only', () => {
  const keysOfCaller = createCallerKeys(10);
  const keysOf = (subject: string) => keysOfCaller(anUpload({ subject }));
  const first = keysOf('alice');
  for (let other = 0; other < 4; other += 1) keysOf(`before ${other}`);
  expect(keysOf('alice')).toBe(first);
  for (let other = 0; other < 10; other += 1) keysOf(`after ${other}`);
  const again = keysOf('alice');
  expect(again).not.toBe(first);
  expect(again).toStrictEqual(first);
  expect(keysOf('alice')).toBe(again);
});
