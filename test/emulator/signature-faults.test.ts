import { createHash, createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { now } from '../support/fixed-clock.ts';
import {
  BUCKET,
  LONG_LIVED,
  REGION,
  readXml,
  startTestEmulator,
  TEMPORARY,
} from '../support/test-emulator.ts';

const MINUTE_MS = 60_000;
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * MINUTE_MS);

describe('a signature in the URL', () => {
  it.each<[string, (url: string) => string, number, string, string | undefined]>([
    [
      'another version',
      (url) => url.replace('OSS4-HMAC-SHA256', 'OSS5-HMAC-SHA256'),
      400,
      'InvalidArgument',
      '0002-00000066',
    ],
    [
      'no version',
      (url) => url.replace(/x-oss-signature-version=[^&]*&/, ''),
      400,
      'InvalidArgument',
      '0002-00000066',
    ],
    ['version 2', (url) => url.replace('OSS4-HMAC-SHA256', 'OSS2'), 400, 'InvalidArgument', '0002-00000034'],
    [
      'version 1',
      (url) => `${url.split('?')[0]}?OSSAccessKeyId=a&Expires=1&Signature=b`,
      400,
      'InvalidArgument',
      '0002-00000034',
    ],
    [
      'no credential',
      (url) => url.replace(/x-oss-credential=[^&]*&/, ''),
      400,
      'InvalidArgument',
      '0002-00000217',
    ],
    [
      'an empty credential',
      (url) => url.replace(/(x-oss-credential=)[^&]*/, '$1'),
      400,
      'InvalidArgument',
      '0002-00000218',
    ],
    [
      'half a credential',
      (url) => url.replace('%2Foss%2Faliyun_v4_request', ''),
      400,
      'InvalidArgument',
      '0002-00000224',
    ],
    [
      'another product',
      (url) => url.replace('%2Foss%2F', '%2Foss-cloudbox%2F'),
      400,
      'InvalidArgument',
      '0002-00000224',
    ],
    [
      'another day in the credential',
      (url) => url.replace('20261123%2F', '20261122%2F'),
      400,
      'InvalidArgument',
      '0002-00000223',
    ],
    [
      'another region',
      (url) => url.replace('%2Fcn-hangzhou%2F', '%2Fcn-shanghai%2F'),
      400,
      'InvalidArgument',
      '0002-00000226',
    ],
    [
      'a region with its prefix',
      (url) => url.replace('%2Fcn-hangzhou%2F', '%2Foss-cn-hangzhou%2F'),
      400,
      'InvalidArgument',
      '0002-00000226',
    ],
    [
      'a date of another form',
      (url) => url.replace('20261123T100000Z', '2026-11-23T10:00:00Z'),
      400,
      'InvalidArgument',
      '0002-00000502',
    ],
    [
      'a day that there is not',
      (url) => url.replaceAll('20261123', '20260230'),
      400,
      'InvalidArgument',
      '0002-00000502',
    ],
    ['no expiry', (url) => url.replace(/x-oss-expires=[^&]*&/, ''), 400, 'InvalidArgument', '0002-00000215'],
    [
      'an expiry of 0',
      (url) => url.replace('x-oss-expires=600', 'x-oss-expires=0'),
      400,
      'InvalidArgument',
      '0002-00000232',
    ],
    [
      'an expiry beyond seven days',
      (url) => url.replace('x-oss-expires=600', 'x-oss-expires=604801'),
      400,
      'InvalidArgument',
      '0002-00000232',
    ],
    [
      'an expiry that is no number',
      (url) => url.replace('x-oss-expires=600', 'x-oss-expires=1h'),
      400,
      'InvalidArgument',
      '0002-00000232',
    ],
    [
      'an empty list of additional headers',
      (url) => `${url}&x-oss-additional-headers=`,
      400,
      'InvalidArgument',
      '0002-00000209',
    ],
    [
      'a stray semicolon',
      (url) => `${url}&x-oss-additional-headers=host%3B`,
      400,
      'InvalidArgument',
      '0002-00000210',
    ],
    [
      'an additional header that is not there',
      (url) => `${url}&x-oss-additional-headers=expires`,
      400,
      'InvalidArgument',
      '0002-00000211',
    ],
    [
      'an additional header with an underscore',
      (url) => `${url}&x-oss-additional-headers=a_b`,
      400,
      'InvalidArgument',
      '0002-00000211',
    ],
    [
      'an unknown key id',
      (url) => url.replace(LONG_LIVED.accessKeyId, 'unknown'),
      403,
      'InvalidAccessKeyId',
      '0002-00000902',
    ],
    [
      'a token for an id that has none',
      (url) => `${url}&x-oss-security-token=x`,
      403,
      'InvalidSecurityToken',
      '0002-00000006',
    ],
    [
      'no token for an id that needs one',
      (url) => url.replace(LONG_LIVED.accessKeyId, TEMPORARY.accessKeyId),
      403,
      'InvalidSecurityToken',
      '0002-00000003',
    ],
    ['a parameter twice', (url) => `${url}&x-oss-expires=600`, 400, 'InvalidArgument', undefined],
    [
      'no signature',
      (url) => url.replace(/&x-oss-signature=.*/, ''),
      400,
      'InvalidArgument',
      '0002-00000219',
    ],
    [
      'one more parameter',
      (url) => `${url}&response-content-type=text%2Fhtml`,
      403,
      'SignatureDoesNotMatch',
      '0002-00000201',
    ],
  ])('is rejected with %s', async (_name, change, status, code, ec) => {
    const emulator = await startTestEmulator();
    const url = emulator.presign();
    expect(change(url)).not.toBe(url);
    const response = await fetch(change(url), { method: 'PUT', body: Buffer.from('a') });
    const xml = readXml(await response.text());
    expect([response.status, xml.Code, xml.EC, response.headers.get('x-oss-ec') ?? undefined]).toStrictEqual([
      status,
      code,
      ec,
      ec,
    ]);
    expect(emulator.files()).toStrictEqual([]);
  });

  it.each<[string, Date, number, string | undefined]>([
    ['15 minutes before its time', inMinutes(15), 200, undefined],
    ['a second earlier still', new Date(inMinutes(15).getTime() + 1000), 403, '0002-00000235'],
    ['in its last second', inMinutes(-10), 200, undefined],
    ['a second later', new Date(inMinutes(-10).getTime() - 1000), 403, '0002-00000236'],
  ])('%s: signed at %s responses %i', async (_name, signedAt, status, ec) => {
    const emulator = await startTestEmulator();
    const response = await fetch(emulator.presign({ signedAt }), { method: 'PUT', body: Buffer.from('a') });
    expect([response.status, response.headers.get('x-oss-ec') ?? undefined]).toStrictEqual([status, ec]);
  });

  it('that has expired is rejected with both times', async () => {
    const emulator = await startTestEmulator();
    const response = await fetch(emulator.presign({ signedAt: inMinutes(-20) }), {
      method: 'PUT',
      body: Buffer.from('a'),
    });
    expect(readXml(await response.text())).toMatchObject({
      Code: 'AccessDenied',
      Message: 'Request has expired.',
      Expires: '2026-11-23T09:50:00.000Z',
      ServerTime: '2026-11-23T10:00:00.000Z',
    });
  });

  it('with an expired token is rejected, even if the URL has not expired', async () => {
    const emulator = await startTestEmulator({ credentials: [{ ...TEMPORARY, expiresAt: now }] });
    const response = await fetch(emulator.presign({ credentials: TEMPORARY }), {
      method: 'PUT',
      body: Buffer.from('a'),
    });
    expect(readXml(await response.text())).toMatchObject({
      Code: 'SecurityTokenExpired',
      EC: '0002-00000007',
    });
  });

  it('together with an Authorization header is rejected', async () => {
    const emulator = await startTestEmulator();
    const response = await fetch(emulator.presign(), {
      method: 'PUT',
      headers: { authorization: 'OSS4-HMAC-SHA256 x' },
    });
    expect([response.status, readXml(await response.text()).Code]).toStrictEqual([400, 'InvalidArgument']);
  });

  it('that does not match gets the canonical request in the error', async () => {
    const emulator = await startTestEmulator();
    const url = emulator.presign({ credentials: { ...LONG_LIVED, accessKeySecret: 'wrong' } });
    const response = await fetch(url, {
      method: 'PUT',
      body: Buffer.from('a'),
      headers: { 'x-oss-meta-a': '<&>' },
    });
    const xml = readXml(await response.text());
    expect(xml).toMatchObject({
      Code: 'SignatureDoesNotMatch',
      EC: '0002-00000201',
      OSSAccessKeyId: LONG_LIVED.accessKeyId,
      SignatureProvided: new URL(url).searchParams.get('x-oss-signature'),
      RequestId: response.headers.get('x-oss-request-id'),
      CanonicalRequest: expect.stringMatching(
        /^PUT\n\/acme-media\/a\.txt\n.*\nx-oss-meta-a:<&>\n\n\nUNSIGNED-PAYLOAD$/s,
      ),
    });
    const { StringToSign = '', StringToSignBytes = '', CanonicalRequest = '' } = xml;
    expect(StringToSign.split('\n')[3]).toBe(createHash('sha256').update(CanonicalRequest).digest('hex'));
    expect(Buffer.from(StringToSignBytes.replaceAll(' ', ''), 'hex').toString()).toBe(StringToSign);
  });
});

/** Signs as the SDKs do in a header, with everything open to change. */
function authorize(
  change: {
    date?: string;
    scope?: string;
    id?: string;
    secret?: string;
    headers?: Record<string, string>;
  } = {},
) {
  const {
    date = '20261123T100000Z',
    id = LONG_LIVED.accessKeyId,
    secret = LONG_LIVED.accessKeySecret,
  } = change;
  const scope = change.scope ?? `20261123/${REGION}/oss/aliyun_v4_request`;
  const headers: Record<string, string> = {
    'x-oss-content-sha256': 'UNSIGNED-PAYLOAD',
    'x-oss-date': date,
    ...change.headers,
  };
  const lines = Object.keys(headers)
    .sort()
    .map((name) => `${name}:${headers[name]}\n`)
    .join('');
  const canonical = `PUT\n/${BUCKET}/a.txt\n\n${lines}\n\nUNSIGNED-PAYLOAD`;
  const text = `OSS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  const key = scope
    .split('/')
    .reduce<string | Buffer>(
      (one, part) => createHmac('sha256', one).update(part).digest(),
      `aliyun_v4${secret}`,
    );
  const signature = createHmac('sha256', key).update(text).digest('hex');
  return { ...headers, authorization: `OSS4-HMAC-SHA256 Credential=${id}/${scope}, Signature=${signature}` };
}

describe('a signature in the header', () => {
  it('is accepted', async () => {
    const emulator = await startTestEmulator();
    const response = await fetch(`${emulator.url}/${BUCKET}/a.txt`, {
      method: 'PUT',
      body: Buffer.from('a'),
      headers: authorize(),
    });
    expect(response.status).toBe(200);
  });

  it.each<[string, Record<string, string>, number, string, string | undefined]>([
    ['nothing at all', {}, 403, 'AccessDenied', '0003-00000001'],
    ['version 1', { authorization: 'OSS LTAI:abc' }, 400, 'InvalidArgument', '0002-00000034'],
    [
      'version 2',
      { authorization: 'OSS2 AccessKeyId:a,Signature:b' },
      400,
      'InvalidArgument',
      '0002-00000034',
    ],
    ['another scheme', { authorization: 'Bearer eyJ' }, 400, 'InvalidArgument', '0002-00000061'],
    [
      'no signature',
      { authorization: 'OSS4-HMAC-SHA256 Credential=a' },
      400,
      'InvalidArgument',
      '0002-00000061',
    ],
    [
      'an unknown part',
      { authorization: 'OSS4-HMAC-SHA256 Credential=a, Signature=b, C=d' },
      400,
      'InvalidArgument',
      '0002-00000061',
    ],
    [
      'no date',
      Object.fromEntries(Object.entries(authorize()).filter(([name]) => name !== 'x-oss-date')),
      403,
      'AccessDenied',
      '0002-00000503',
    ],
    [
      '16 minutes of skew',
      authorize({ date: '20261123T094400Z' }),
      403,
      'RequestTimeTooSkewed',
      '0002-00000504',
    ],
    [
      'another region',
      authorize({ scope: '20261123/cn-shanghai/oss/aliyun_v4_request' }),
      400,
      'InvalidArgument',
      '0002-00000228',
    ],
    [
      'another day',
      authorize({ scope: `20261122/${REGION}/oss/aliyun_v4_request` }),
      400,
      'InvalidArgument',
      '0002-00000212',
    ],
    [
      'half a credential',
      authorize({ scope: `20261123/${REGION}` }),
      400,
      'InvalidArgument',
      '0002-00000213',
    ],
    ['an unknown key id', authorize({ id: 'unknown' }), 403, 'InvalidAccessKeyId', '0002-00000902'],
    ['another secret', authorize({ secret: 'wrong' }), 403, 'SignatureDoesNotMatch', '0002-00000201'],
    [
      'one more header',
      { ...authorize(), 'x-oss-meta-a': '1' },
      403,
      'SignatureDoesNotMatch',
      '0002-00000201',
    ],
  ])('is rejected with %s', async (_name, headers, status, code, ec) => {
    const emulator = await startTestEmulator();
    const response = await fetch(`${emulator.url}/${BUCKET}/a.txt`, {
      method: 'PUT',
      body: Buffer.from('a'),
      headers,
    });
    const xml = readXml(await response.text());
    expect([response.status, xml.Code, xml.EC]).toStrictEqual([status, code, ec]);
    expect(emulator.files()).toStrictEqual([]);
  });
});
