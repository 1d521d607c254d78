import { expect, it, onTestFinished } from 'vitest';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';
import { snippetUpload } from '../support/client-snippets.ts';
import type { Interference } from '../support/wire.ts';

const NOTE = new File(['Hello, bucket\n'], 'note.txt', { type: 'text/plain' });

async function uploadWithSnippet(file: File, oss: Interference = {}) {
  const environment = await startClientEnvironment();
  onTestFinished(environment.close);
  environment.oss.interfere(oss);
  const upload = await snippetUpload(environment.service.url);
  return {
    environment,
    outcome: await upload(file, environment.token).catch((error: unknown) => error as Error),
  };
}

const requested = ({ service }: ClientEnvironment) => JSON.parse(service.exchanges[0]?.body ?? '{}');

it('the snippet for pages uploads a file', async () => {
  const { environment, outcome } = await uploadWithSnippet(NOTE);
  expect(outcome).toStrictEqual({
    key: expect.stringMatching(/^users\/alice\/.*\.txt$/),
    isNotified: true,
  });
  expect((await environment.read((outcome as { key: string }).key)).bytes).toBe(14);
});

it('the snippet sends a fallback type and a composed name, and throws the detail of a rejection', async () => {
  const { environment, outcome } = await uploadWithSnippet(new File(['?'], 'Cafe\u0301.blend'));
  expect(requested(environment)).toStrictEqual({
    filename: 'Café.blend',
    contentType: 'application/octet-stream',
    contentLength: 1,
  });
  expect(outcome).toStrictEqual(
    new Error(JSON.parse(environment.service.exchanges[0]?.response ?? '{}').detail),
  );
});

it.each([403, 500, 204, 301])('the snippet throws for status %i of OSS, without the URL', async (status) => {
  const body = status === 204 ? undefined : '<Error><Code>Wrong</Code></Error>';
  const { outcome } = await uploadWithSnippet(NOTE, { faults: [{ status, ...(body && { body }) }] });
  expect(outcome).toStrictEqual(
    new Error(`OSS rejected the upload: ${status} ${body ? 'Wrong' : 'undefined'}`),
  );
});

it.each([
  [203, false],
  [409, true],
])('the snippet treats status %i of OSS as stored', async (status, isNotified) => {
  const { outcome } = await uploadWithSnippet(NOTE, {
    faults: [{ status, body: '<Error/>', isPassedOn: true }],
  });
  expect(outcome).toStrictEqual({ key: expect.any(String), isNotified });
});
