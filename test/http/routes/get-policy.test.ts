import { expect, it } from 'vitest';
import { downloadRule } from '../../support/downloads.ts';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { createTestApp } from '../../support/test-app.ts';

const policyYaml = policyWith({
  rules: [
    ownFilesRule(),
    downloadRule({ limits: { requestsPerMinute: 30 } }),
    downloadRule({ name: 'all', who: { scope: 'admin' }, prefix: 'reports/' }),
    {
      name: 'team-archive',
      who: { scope: 'uploads:archive' },
      target: 'media',
      prefix: 'teams/{team}/',
      naming: 'server',
      contentTypes: ['application/zip'],
      maxSize: 'unlimited',
    },
  ],
});

it('returns the rules for the caller, with its own prefix, and nothing of other rules', async () => {
  const { http, issuer } = await createTestApp({ policyYaml });
  const response = await http
    .get('/v1/policy')
    .set('authorization', `Bearer ${await issuer.sign({ sub: 'bob' })}`);
  expect(response.status).toBe(200);
  expect(response.headers['cache-control']).toBe('no-store');
  expect(response.body).toStrictEqual({
    rules: [
      {
        name: 'own-files',
        target: 'media',
        bucket: 'acme-media',
        region: 'cn-hangzhou',
        prefix: 'users/bob/',
        naming: 'either',
        keepFilename: false,
        actions: ['upload'],
        transfers: ['put'],
        contentTypes: ['image/*', 'text/plain'],
        maxSize: 1_048_576,
        expiresIn: { default: 600, max: 3600 },
        metadata: { allowed: ['album'], required: [] },
        overwrite: false,
        clientHeaders: ['cacheControl'],
        limits: { requestsPerMinute: null, bytesPerDay: null },
      },
    ],
    downloads: [
      {
        name: 'own-downloads',
        target: 'media',
        bucket: 'acme-media',
        region: 'cn-hangzhou',
        prefix: 'users/bob/',
        expiresIn: { default: 600, max: 3600 },
        inline: false,
        limits: { requestsPerMinute: 30 },
      },
    ],
  });
});

it('returns the size of parts where uploads can have parts', async () => {
  const rules = [
    ownFilesRule({
      transfers: ['put', 'multipart'],
      maxSize: '1TiB',
      partSize: '64MiB',
      uploadExpiresIn: '1d',
    }),
  ];
  const { http, issuer } = await createTestApp({ policyYaml: policyWith({ rules }) });
  const response = await http.get('/v1/policy').set('authorization', `Bearer ${await issuer.sign()}`);
  expect(response.body).toMatchObject({
    rules: [{ transfers: ['put', 'multipart'], partSize: 67_108_864, maxSize: 1_099_511_627_776 }],
  });
});

it('returns an empty list to a caller if no rule applies', async () => {
  const { http, issuer } = await createTestApp({ policyYaml });
  const token = await issuer.sign({ scope: 'uploads:archive' });
  const response = await http.get('/v1/policy').set('authorization', `Bearer ${token}`);
  expect(response.body).toStrictEqual({ rules: [], downloads: [] });
});
