import { describe, expect, it, vi } from 'vitest';
import { PROBLEMS } from '../../src/http/plugins/problem-json.ts';
import { codeBlocks, readDocument } from '../support/documents.ts';
import { PART_BYTES, startMultipartEnvironment } from '../support/multipart-environment.ts';
import type { Exchange, Fault } from '../support/wire.ts';

const PAGE = 'docs/large-files.md';
const page = readDocument(PAGE);
/** Seven parts, the last one of 50 bytes. */
const BYTES = Buffer.alloc(6 * PART_BYTES + 50, 'video ');
const FILE = new File([BYTES], 'Cafe\u0301.mp4', { type: 'video/mp4' });

type Upload = (
  file: File,
  token: string,
  options?: { readonly id?: string | undefined; readonly onId?: (id: string) => void },
) => Promise<{ readonly key: string; readonly receipt: string }>;

/** Service, OSS and the code of the page. */
async function setUp() {
  const environment = await startMultipartEnvironment();
  return { ...environment, ...(await openPage(environment.service.url)) };
}

type Page = {
  readonly uploadLarge: Upload;
  readonly post: (path: string, body: object, token: string) => Promise<unknown>;
  readonly waits: readonly number[];
};
let pagesOpened = 0;

/**
 * Evaluates the code of the page in a new module, as when a page is opened again. It does not wait,
 * and `waits` has the seconds for which it would have.
 */
async function openPage(service: string): Promise<Page> {
  pagesOpened += 1;
  const module = `${codeBlocks(PAGE, 'js')[0]?.replace('https://presign.example.com', service)}
const waits = [];
const setTimeout = (run, ms) => { waits.push(ms / 1000); queueMicrotask(run); };
export { uploadLarge, post, waits }; // ${pagesOpened}`;
  return await import(`data:text/javascript,${encodeURIComponent(module)}`);
}

/** The part numbers that were sent to OSS, in the order in which it has responded. */
function partsOf(exchanges: readonly Exchange[]): readonly number[] {
  return exchanges
    .filter(({ method }) => method === 'PUT')
    .map(({ target }) => Number(new URLSearchParams(target.split('?')[1]).get('partNumber')));
}

async function expectStored({ emulator }: Awaited<ReturnType<typeof setUp>>, key: string): Promise<void> {
  const object = await fetch(emulator.presign({ method: 'GET', key }));
  expect(BYTES.equals(new Uint8Array(await object.arrayBuffer()))).toBe(true);
}

describe('the code of the page', () => {
  it('uploads a file in parts, and returns the receipt', async () => {
    const place = await setUp();
    const { key, receipt } = await place.uploadLarge(FILE, place.token);
    expect(key).toMatch(/^users\/alice\/[0-9a-f-]{36}\.mp4$/);
    expect(receipt).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(partsOf(place.oss.exchanges).toSorted()).toStrictEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(place.waits).toStrictEqual([]);
    await expectStored(place, key);
  });

  it('continues with the id alone, and sends only what is missing', async () => {
    const place = await setUp();
    const denied: Fault = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
    // InitiateMultipartUpload and ListParts pass, then each worker sends a part and fails.
    place.oss.interfere({ faults: [undefined, undefined, undefined, denied, denied, denied, denied] });
    let id: string | undefined;
    const failed = await place.uploadLarge(FILE, place.token, { onId: (one) => (id = one) }).catch(String);
    expect(failed).toMatch(/^Error: part \d was not stored: 403$/);
    expect(id).toBeDefined();
    // One of the four workers has sent a part, and its next one fails too.
    await vi.waitFor(() => expect(partsOf(place.oss.exchanges)).toHaveLength(5));
    const stored = place.oss.exchanges.filter(({ method, status }) => method === 'PUT' && status === 200);
    const sent = partsOf(stored);
    expect(sent).toHaveLength(1);

    place.oss.interfere({});
    place.service.interfere({});
    const { key } = await (await openPage(place.service.url)).uploadLarge(FILE, place.token, { id });
    expect([...partsOf(place.oss.exchanges), ...sent].toSorted()).toStrictEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(place.service.exchanges.map(({ target }) => target)).not.toContain('/v1/uploads');
    await expectStored(place, key);
  });

  it('returns the receipt again for an upload that was completed', async () => {
    const place = await setUp();
    const ids: string[] = [];
    const { uploadLarge } = place;
    const { key } = await uploadLarge(FILE, place.token, { onId: (id) => void ids.push(id) });
    place.oss.interfere({});
    expect((await uploadLarge(FILE, place.token, { id: ids[0] })).key).toBe(key);
    expect(partsOf(place.oss.exchanges)).toStrictEqual([]);
  });

  it.each<Fault>(['reset', 'lose response', { status: 500 }, { status: 503 }])(
    'sends a part again after the fault %o of OSS',
    async (fault) => {
      const place = await setUp();
      place.oss.interfere({ faults: [undefined, undefined, fault] });
      const { key } = await place.uploadLarge(FILE, place.token);
      expect(place.waits).toStrictEqual([2]);
      await expectStored(place, key);
    },
  );

  it.each<[Fault, number]>([
    ['reset', 2],
    ['lose response', 2],
    [{ status: 502 }, 2],
    [{ status: 503, headers: { 'retry-after': '7' } }, 7],
    [{ status: 429, headers: { 'retry-after': '30' } }, 30],
  ])('repeats each request after the fault %o of the service', async (fault, seconds) => {
    const place = await setUp();
    // Each call: POST /v1/uploads, status, parts, complete.
    place.service.interfere({ faults: [0, 1, 2, 3].flatMap(() => [fault, undefined]) });
    const { key } = await place.uploadLarge(FILE, place.token);
    expect(place.waits).toStrictEqual([seconds, seconds, seconds, seconds]);
    await expectStored(place, key);
  });

  it('does not continue with a file of another length', async () => {
    const place = await setUp();
    let id: string | undefined;
    await place.uploadLarge(FILE, place.token, { onId: (one) => (id = one) });
    const other = new File([BYTES, 'more'], FILE.name, { type: FILE.type });
    const failed = place.uploadLarge(other, place.token, { id });
    await expect(failed).rejects.toThrow(`the upload is of a file of ${BYTES.length} bytes`);
  });

  it('gives an upload up with the id alone', async () => {
    const place = await setUp();
    const request = { transfer: 'multipart', filename: 'a.mp4', contentType: 'video/mp4', contentLength: 5 };
    const { id } = (await place.post('', request, place.token)) as { readonly id: string };
    expect(await place.post('/abort', { id }, place.token)).toBeUndefined();
    expect(await place.post('/status', { id }, place.token)).toMatchObject({ state: 'absent' });
  });

  it('gives up after five attempts', async () => {
    const place = await setUp();
    place.service.interfere({ faults: Array<Fault>(6).fill('reset') });
    const outcome = await place.uploadLarge(FILE, place.token).catch(String);
    expect(outcome).toBe('Error: the service cannot be reached');
    expect(place.waits).toStrictEqual([2, 4, 8, 16]);
  });

  it('throws the reason and the code of a rejection', async () => {
    const place = await setUp();
    const { uploadLarge } = place;
    const text = new File(['a'], 'a.txt', { type: 'text/plain' });
    await expect(uploadLarge(text, place.token)).rejects.toMatchObject({
      message: expect.stringContaining('video/*'),
      code: 'policy_denied',
    });
    let id: string | undefined;
    await uploadLarge(FILE, place.token, { onId: (one) => (id = one) });
    place.endMultipart();
    await expect(uploadLarge(FILE, place.token, { id })).rejects.toMatchObject({ code: 'upload_id_invalid' });
  });
});

it('the table of errors has the statuses of the API', () => {
  const named = [...page.matchAll(/(\d{3}) `([a-z_]+)`/g)].map(([, status, code = '']) => [
    code,
    Number(status),
  ]);
  expect(named.length).toBeGreaterThan(5);
  for (const [code, status] of named)
    expect(PROBLEMS[code as keyof typeof PROBLEMS]?.status, `${code}`).toBe(status);
});
