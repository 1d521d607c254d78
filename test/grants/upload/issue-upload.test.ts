import { describe, expect, it } from 'vitest';
import { callerFromClaims } from '../../../src/auth/caller.ts';
import type { LimitedUpload, LimitVerdict } from '../../../src/grants/ports/limiter.ts';
import { type IssueUploadDependencies, issueUpload } from '../../../src/grants/upload/issue-upload.ts';
import { fixedClock, now } from '../../support/fixed-clock.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { serviceKeysOf } from '../../support/service-keys.ts';
import { GRANT_ID, policyFrom, storageOf, testCredentials } from '../../support/test-app.ts';
import { createTestIssuer, defaultClaims } from '../../support/tokens.ts';

const caller = callerFromClaims(defaultClaims('https://login.test/'));
const policy = policyFrom(
  policyWith({ rules: [ownFilesRule({ limits: { requestsPerMinute: 5 } })] }),
  createTestIssuer(),
);
const callerContext = { caller, policy, storage: storageOf(policy) };
const photo = {
  key: 'users/alice/a.png',
  contentType: 'image/png',
  contentLength: 7,
  metadata: {},
  overwrite: false,
  transfer: 'put' as const,
};

const serviceKeys = serviceKeysOf('a');

function setUp(verdict?: LimitVerdict, credentials: unknown = testCredentials) {
  const consumed: LimitedUpload[] = [];
  let asked = 0;
  const dependencies: IssueUploadDependencies = {
    credentials: {
      get: async () => {
        asked++;
        if (credentials instanceof Error) throw credentials;
        return credentials as typeof testCredentials;
      },
    },
    limiter: {
      consume: async (upload) => {
        consumed.push(upload);
        return verdict;
      },
    },
    clock: fixedClock,
    newGrantId: () => GRANT_ID,
    serviceKeys: { current: () => serviceKeys, isShared: false },
    publicUrl: 'https://presign.example.com',
  };
  return { dependencies, consumed, asked: () => asked };
}

it('counts a grant against the rule and the caller, with its bytes', async () => {
  const { dependencies, consumed, asked } = setUp();
  expect((await issueUpload(dependencies, callerContext, photo)).outcome).toBe('granted');
  expect(asked()).toBe(1);
  expect(consumed).toStrictEqual([
    {
      rule: 'own-files',
      issuer: 'https://login.test/',
      subject: 'alice',
      bytes: 7,
      limits: { requestsPerMinute: 5 },
    },
  ]);
});

it('neither counts nor gets credentials for a request that the policy denies', async () => {
  const { dependencies, consumed, asked } = setUp();
  const outcome = await issueUpload(dependencies, callerContext, { ...photo, key: 'users/bob/a.png' });
  expect(outcome).toMatchObject({
    outcome: 'denied',
    rule: 'own-files',
    violations: [{ code: 'key_outside_prefix' }],
  });
  expect([consumed, asked()]).toStrictEqual([[], 0]);
});

it('signs nothing when a limit is reached', async () => {
  const verdict = {
    allowed: false,
    limitedBy: 'requestsPerMinute',
    limit: 5,
    remaining: 0,
    resetInSeconds: 9,
  } as const;
  const outcome = await issueUpload(setUp(verdict).dependencies, callerContext, photo);
  expect(outcome).toMatchObject({ outcome: 'limited', verdict });
  expect(outcome).not.toHaveProperty('response');
});

it('counts nothing when there are no credentials to sign with', async () => {
  const { dependencies, consumed } = setUp(undefined, new Error('no credentials'));
  await expect(issueUpload(dependencies, callerContext, photo)).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(consumed).toStrictEqual([]);
});

it('counts nothing when the credentials expire too soon', async () => {
  const ending = { ...testCredentials, expiresAt: new Date(now.getTime() + 29_000) };
  const { dependencies, consumed } = setUp(undefined, ending);
  await expect(issueUpload(dependencies, callerContext, photo)).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(consumed).toStrictEqual([]);
});

it('signs at the instant after counting, however long that took, and for no longer than the credentials last', async () => {
  const { clock, advance } = createManualClock();
  const { dependencies } = setUp(undefined, {
    ...testCredentials,
    expiresAt: new Date(now.getTime() + 90_900),
  });
  const slowLimiter = {
    consume: async () => {
      advance(5_500);
      return undefined;
    },
  };
  const outcome = await issueUpload({ ...dependencies, clock, limiter: slowLimiter }, callerContext, photo);
  expect(outcome).toStrictEqual({
    outcome: 'granted',
    rule: 'own-files',
    grant: { rule: policy.rules[0], key: 'users/alice/a.png', grantId: GRANT_ID },
    verdict: undefined,
    response: {
      transfer: 'put',
      method: 'PUT',
      url: expect.stringContaining('x-oss-date=20261123T100005Z&x-oss-expires=85&'),
      headers: {
        'Content-Type': 'image/png',
        'Content-Disposition': 'attachment',
        'x-oss-forbid-overwrite': 'true',
        'x-oss-meta-upload-id': GRANT_ID,
      },
      id: expect.any(String),
      idExpiresAt: '2026-11-24T10:01:30Z',
      key: 'users/alice/a.png',
      bucket: 'acme-media',
      region: 'cn-hangzhou',
      target: 'media',
      contentLength: 7,
      expires: 85,
      expiresAt: '2026-11-23T10:01:30Z',
      expiresLimitedBy: 'credentials',
      serverTime: '2026-11-23T10:00:05Z',
    },
  });
});

describe('a rule with callback: true', () => {
  const transfers = ['put', 'form', 'multipart'];
  const withCallback = policyFrom(
    policyWith({ rules: [ownFilesRule({ callback: true, transfers })] }),
    createTestIssuer(),
  );
  const context = { caller, policy: withCallback, storage: storageOf(withCallback) };

  async function grantOf(request: Parameters<typeof issueUpload>[2]) {
    const outcome = await issueUpload(setUp().dependencies, context, request);
    return outcome.outcome === 'granted' ? outcome.response : expect.fail(outcome.outcome);
  }

  it.each(['put', 'form'] as const)(
    'signs the id of the response into the callback of a %s',
    async (transfer) => {
      const grant = await grantOf({ ...photo, transfer });
      const parameter =
        'fields' in grant
          ? grant.fields.callback
          : new URL('url' in grant ? grant.url : '').searchParams.get('callback');
      expect(JSON.parse(Buffer.from(parameter ?? '', 'base64').toString())).toStrictEqual({
        callbackUrl: 'https://presign.example.com/v1/callbacks/oss',
        callbackBody: JSON.stringify({ id: grant.id }),
        callbackBodyType: 'application/json',
        callbackSNI: true,
      });
    },
  );

  it('grants the same as without it, apart from the signature', async () => {
    const grant = await grantOf(photo);
    const without = await issueUpload(setUp().dependencies, callerContext, photo);
    expect(without).toMatchObject({
      outcome: 'granted',
      response: { id: grant.id, headers: 'headers' in grant && grant.headers, key: grant.key },
    });
  });
});
