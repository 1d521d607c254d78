import { expect, it } from 'vitest';
import { environmentSchema } from '../../src/config/config.ts';
import { adapterRoutes } from '../../src/http/adapters/adapters.ts';
import { adapterRules } from '../support/client-snippets.ts';
import { readDocument } from '../support/documents.ts';
import { policyWith } from '../support/policies.ts';
import { createTestApp } from '../support/test-app.ts';

const page = readDocument('docs/adapters.md');

it('the table has the route of each adapter, and its name in ADAPTERS', () => {
  const rows = [...page.matchAll(/^\| `[^`]+` \| .* \| `POST (\S+)` \| `(\w+)` \|$/gm)];
  expect(rows).not.toHaveLength(0);
  for (const [, path = '', name = ''] of rows) {
    const { ADAPTERS } = environmentSchema.shape;
    const names = ADAPTERS.parse(name) as readonly Parameters<typeof adapterRoutes>[0][number][];
    expect(adapterRoutes(names).map((route) => route.path)).toStrictEqual([path]);
  }
});

it('the rules allow what the clients send', async () => {
  const { http, issuer } = await createTestApp({
    policyYaml: policyWith({ rules: adapterRules() }),
    adapters: ['activestorage', 'vapor'],
  });
  const file = { filename: 'photo.png', content_type: 'image/png' };
  for (const [path, body] of [
    [
      'activestorage/direct_uploads',
      { blob: { ...file, byte_size: 1, checksum: 'XrY7u+Ae7tCTyyK7j1rNww==' } },
    ],
    ['vapor/signed-storage-url', { ...file, size: 1 }],
  ] as const) {
    const response = await http
      .post(`/v1/adapters/${path}`)
      .set('authorization', `Bearer ${await issuer.sign()}`)
      .send(body);
    expect(response.status, path).toBe(201);
  }
});
