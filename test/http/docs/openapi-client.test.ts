import type { AddressInfo } from 'node:net';
import createClient from 'openapi-fetch';
import { expect, it } from 'vitest';
import { ownFilesRule, policyWith } from '../../support/policies.ts';
import { PHOTO } from '../../support/requests.ts';
import { createTestApp } from '../../support/test-app.ts';
import type { components, paths } from './openapi-types.ts';

type FaultCode = NonNullable<components['schemas']['Problem']['errors']>[number]['code'];

/** A client of openapi-fetch with the types that openapi-typescript generates, both with their default options. */
async function createTypedClient() {
  const policyYaml = policyWith({ rules: [ownFilesRule({ transfers: ['put', 'form'] })] });
  const { app, issuer } = await createTestApp({ policyYaml });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return createClient<paths>({
    baseUrl: `http://127.0.0.1:${port}`,
    headers: { authorization: `Bearer ${await issuer.sign()}` },
  });
}

it('a generated client gets a grant with the required fields only', async () => {
  const client = await createTypedClient();
  const { data, error } = await client.POST('/v1/uploads', { body: PHOTO });
  expect(error).toBeUndefined();
  const grant: components['schemas']['UploadGrant'] | undefined = data;
  const length: number | null | undefined = grant?.contentLength;
  expect([grant?.key, length]).toStrictEqual([PHOTO.key, PHOTO.contentLength]);
  const put = grant?.transfer === 'put' ? grant : expect.fail();
  expect([put.method, new URL(put.url).pathname]).toStrictEqual(['PUT', `/${PHOTO.key}`]);
});

it('a generated client knows the fields of a form', async () => {
  const client = await createTypedClient();
  const body: components['schemas']['UploadRequest'] = { ...PHOTO, transfer: 'form' };
  const { data } = await client.POST('/v1/uploads', { body });
  const form = data?.transfer === 'form' ? data : expect.fail();
  const fields: Record<string, string> = form.fields;
  expect([form.method, form.fileField, fields.key]).toStrictEqual(['POST', 'file', PHOTO.key]);
  // @ts-expect-error a form has no headers
  expect(form.headers).toBeUndefined();
});

it('a generated client may send every field', async () => {
  const client = await createTypedClient();
  const { data } = await client.POST('/v1/uploads', {
    body: {
      filename: 'photo.png',
      contentType: 'image/png',
      contentLength: 1,
      contentMd5: '1B2M2Y8AsgTpgAmY7PhCfg==',
      metadata: { album: 'x' },
      cacheControl: 'no-cache',
      expiresIn: 60,
      overwrite: false,
      target: 'media',
    },
  });
  expect(data?.key).toMatch(/^users\/alice\/.+\.png$/);
});

it('a generated client can distinguish all faults by their codes', async () => {
  const client = await createTypedClient();
  const { error, response } = await client.POST('/v1/uploads', {
    body: { ...PHOTO, key: 'users/bob/a.png' },
  });
  expect(response.status).toBe(403);
  const expected: FaultCode[] = ['key_outside_prefix'];
  // @ts-expect-error not a code of the document
  const unknown: FaultCode = 'key_outside';
  expect(error?.code).toBe('policy_denied');
  expect(error?.errors?.map(({ code }) => code)).toStrictEqual(expected);
  expect(expected).not.toContain(unknown);
});

it('a generated client does not compile with an unknown field, and the service rejects it', async () => {
  const client = await createTypedClient();
  // @ts-expect-error the field is contentLength
  const body: components['schemas']['UploadRequest'] = { ...PHOTO, size: 1 };
  const { error } = await client.POST('/v1/uploads', { body });
  expect(error?.errors?.[0]?.code).toBe('unknown_field');
});

it('a generated client reads the caller’s policy', async () => {
  const client = await createTypedClient();
  const { data } = await client.GET('/v1/policy');
  expect(data?.rules.map(({ name, prefix }) => [name, prefix])).toStrictEqual([
    ['own-files', 'users/alice/'],
  ]);
});

it('a generated client distinguishes the granted and the rejected uploads of a batch', async () => {
  const client = await createTypedClient();
  const { data, error } = await client.POST('/v1/uploads/batch', {
    body: {
      items: [
        PHOTO,
        { ...PHOTO, transfer: 'form' },
        { ...PHOTO, key: 'users/bob/a.png' },
        { ...PHOTO, transfer: 'multipart' },
      ],
    },
  });
  expect(error).toBeUndefined();
  const described = data?.items.map((item) => {
    if (!('transfer' in item)) {
      const code: components['schemas']['Problem']['code'] = item.code;
      return [item.status, code, item.errors?.[0]?.pointer];
    }
    const status: 201 = item.status;
    return item.transfer === 'put'
      ? [status, item.method, item.url.includes('x-oss-signature')]
      : [status, item.method, item.fields.key];
  });
  expect(described).toStrictEqual([
    [201, 'PUT', true],
    [201, 'POST', PHOTO.key],
    [403, 'policy_denied', '/items/2/key'],
    [400, 'invalid_request', '/items/3/transfer'],
  ]);
});

it('a generated client gets the faults of a batch without items', async () => {
  const client = await createTypedClient();
  const { error, response } = await client.POST('/v1/uploads/batch', { body: { items: [] } });
  expect([response.status, error?.errors?.[0]?.pointer]).toStrictEqual([400, '/items']);
});
