import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { DatabaseSync } from 'node:sqlite';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { codeBlocks } from './documents.ts';
import { ownFilesRule, policyWith } from './policies.ts';
import { serviceKeysFile } from './service-keys.ts';
import { BUCKET, LONG_LIVED, REGION, startTestEmulator } from './test-emulator.ts';
import { startTestService } from './test-service.ts';

const PAGE = 'docs/backend.md';

/** A receiver of docs/backend.md. */
export type ReceiverProgram = {
  readonly name: string;
  /** The language of its code block, and the name of its file. */
  readonly language: string;
  readonly file: string;
  /** The code that commits, and the code that responds; each preceded by one that kills the process. */
  readonly kills: readonly { readonly text: string; readonly becomes: string }[];
};

/**
 * Writes the code of the page to a file. It listens on a free port instead of 3000, and kills itself
 * at the point that KILL_AT names: `commit` or `response`.
 */
export function writeReceiver({ name, language, file, kills }: ReceiverProgram, folder: string): void {
  const blocks = codeBlocks(PAGE, language);
  if (blocks.length !== 1) throw new Error(`${PAGE} has ${blocks.length} receivers in ${name}`);
  let code = blocks[0] ?? '';
  for (const { text, becomes } of [{ text: '3000', becomes: '0' }, ...kills]) {
    if (code.split(text).length !== 2) throw new Error(`the receiver in ${name} does not have once: ${text}`);
    code = code.replace(text, () => becomes);
  }
  writeFileSync(join(folder, file), code);
}

type Signed = { readonly body: string; readonly headers: Readonly<Record<string, string>> };

const secretOf = (byte: number) => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const [OLD, NEW, FOREIGN] = [secretOf(1), secretOf(2), secretOf(3)];

/** A notification as the service sends it, with a signature for each secret. */
function sign(
  upload: Readonly<Record<string, unknown>>,
  {
    id = 'grant-1',
    secrets = [OLD],
    at = new Date(),
    type = 'upload.stored',
  }: {
    readonly id?: string;
    readonly secrets?: readonly string[];
    readonly at?: Date;
    readonly type?: string;
  } = {},
): Signed {
  const caller = { issuer: 'https://login.test/', subject: 'alice' };
  const data = { id, rule: 'own-files', caller, ...upload };
  const body = JSON.stringify({ type, timestamp: at.toISOString(), data });
  const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, body));
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': `${Math.floor(at.getTime() / 1000)}`,
      'webhook-signature': signatures.join(' '),
    },
  };
}

const UPLOAD = { state: 'stored', bucket: BUCKET, key: 'users/alice/photo.png', target: 'media' };
const EFFECT = { bucket: BUCKET, key: UPLOAD.key, issuer: 'https://login.test/', owner: 'alice' };

type CompletedUpload = Readonly<Record<string, unknown>> & { readonly receipt: string };

/** Uploads a file with the real service, and returns what `complete` returns, called twice. */
async function completeTwice() {
  const clock = () => new Date();
  const emulator = await startTestEmulator({ clock });
  const keys = serviceKeysFile('first');
  const { url, issuer } = await startTestService({
    policyYaml: policyWith({
      targets: { media: { bucket: BUCKET, region: REGION, endpoint: emulator.url } },
      rules: [ownFilesRule()],
    }),
    env: {
      OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId,
      OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret,
      SERVICE_KEYS_FILE: 'keys.json',
      PUBLIC_URL: 'https://presign.example.com',
    },
    files: { 'keys.json': () => keys },
    clock,
  });
  const headers = { authorization: `Bearer ${await issuer.sign(now())}`, 'content-type': 'application/json' };
  const post = async (path: string, body: object): Promise<Response> => {
    const response = await fetch(`${url}/v1/uploads${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    expect(response.ok).toBe(true);
    return response;
  };
  const granted = await post('', { key: UPLOAD.key, contentType: 'image/png', contentLength: 5 });
  const grant = (await granted.json()) as {
    readonly id: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
  };
  expect((await fetch(grant.url, { method: 'PUT', headers: grant.headers, body: 'hello' })).status).toBe(200);
  const complete = async () => (await (await post('/complete', { id: grant.id })).json()) as CompletedUpload;
  return [await complete(), await complete()];
}

const now = () => {
  const seconds = Math.floor(Date.now() / 1000);
  return { iat: seconds, nbf: seconds, exp: seconds + 600 };
};

/**
 * The guarantees of a receiver of the page, as a real process.
 * @param command its program and arguments, and the folder in which it finds its libraries
 */
export function describeReceiver(name: string, command: () => readonly [string, ...string[]]): void {
  function createReceiver() {
    const folder = mkdtempSync(join(tmpdir(), 'oss-presign-receiver-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    return {
      start: (env: Readonly<Record<string, string>> = {}) => startReceiver(folder, env),
      effects: () => {
        const db = new DatabaseSync(join(folder, 'app.db'));
        const rows = db.prepare('SELECT * FROM files').all();
        db.close();
        return rows.map((row) => ({ ...row }));
      },
    };
  }

  async function startReceiver(cwd: string, env: Readonly<Record<string, string>>) {
    const [program, ...args] = command();
    const child = spawn(program, args, {
      cwd,
      env: { PATH: process.env.PATH, NOTIFY_SECRET: OLD, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const ended = new Promise<string | null>((resolve) =>
      child.once('close', (_, signal) => resolve(signal)),
    );
    const stop = async () => {
      child.kill('SIGKILL');
      return await ended;
    };
    onTestFinished(async () => void (await stop()));
    let output = '';
    const port = await new Promise<string>((resolve, reject) => {
      const read = (text: string) => {
        output += text;
        const [, found] = /listening on port (\d+)/.exec(output) ?? [];
        if (found) resolve(found);
      };
      child.stdout.setEncoding('utf8').on('data', read);
      child.stderr.setEncoding('utf8').on('data', read);
      child.once('error', reject);
      void ended.then(() => reject(new Error(output)));
    });
    const deliver = async ({ body, headers }: Signed) => {
      const response = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers }).catch(
        () => undefined,
      );
      return response?.status;
    };
    return { deliver, stop, ended };
  }

  describe(`the receiver in ${name}`, () => {
    it('acts once for an upload, however often it is completed', async () => {
      const { start, effects } = createReceiver();
      const { deliver } = await start();
      for (const upload of await completeTwice()) {
        const { jti } = JSON.parse(Buffer.from(upload.receipt.split('.')[1] ?? '', 'base64url').toString());
        expect(await deliver(sign(upload, { id: jti }))).toBe(204);
      }
      expect(effects()).toStrictEqual([EFFECT]);
    });

    it('acts once for deliveries at the same time, to two processes', async () => {
      const { start, effects } = createReceiver();
      const receivers = [await start(), await start()];
      const deliveries = [1, 2, 3, 4].flatMap(() => receivers.map(({ deliver }) => deliver(sign(UPLOAD))));
      expect(await Promise.all(deliveries)).toStrictEqual(Array(8).fill(204));
      expect(effects()).toStrictEqual([EFFECT]);
    });

    it('acts for each upload', async () => {
      const { start, effects } = createReceiver();
      const { deliver } = await start();
      expect(await deliver(sign(UPLOAD))).toBe(204);
      expect(await deliver(sign(UPLOAD, { id: 'grant-2' }))).toBe(204);
      expect(effects()).toStrictEqual([EFFECT, EFFECT]);
    });

    it.each([
      ['before the commit', 'commit', 0],
      ['after the commit and before the response', 'response', 1],
    ])('acts once when it is killed %s', async (_when, point, count) => {
      const { start, effects } = createReceiver();
      const killed = await start({ KILL_AT: point });
      expect(await killed.deliver(sign(UPLOAD))).toBeUndefined();
      expect(await killed.ended).toBe('SIGKILL');
      expect(effects()).toHaveLength(count);
      const { deliver } = await start();
      expect(await deliver(sign(UPLOAD))).toBe(204);
      expect(effects()).toStrictEqual([EFFECT]);
    });

    it('rejects what the service did not send, and does nothing', async () => {
      const { start, effects } = createReceiver();
      const { deliver } = await start();
      const good = sign(UPLOAD);
      const unsigned = (header: string) => ({ ...good, headers: { ...good.headers, [header]: '' } });
      const minutes = (count: number) => new Date(Date.now() + count * 60_000);
      const rejected = {
        secret: sign(UPLOAD, { secrets: [FOREIGN] }),
        body: { ...good, body: good.body.replace('photo', 'other') },
        id: { ...good, headers: { ...good.headers, 'webhook-id': 'grant-2' } },
        old: sign(UPLOAD, { at: minutes(-6) }),
        early: sign(UPLOAD, { at: minutes(6) }),
        withoutSignature: unsigned('webhook-signature'),
        withoutId: unsigned('webhook-id'),
        malformed: { ...good, headers: { ...good.headers, 'webhook-signature': 'v1 v1, v1,? x,y,z' } },
      };
      for (const [fault, delivery] of Object.entries(rejected))
        expect([fault, await deliver(delivery)]).toStrictEqual([fault, 401]);
      expect(await deliver({ ...good, body: 'x'.repeat(65_537) })).toBe(413);
      expect(effects()).toStrictEqual([]);
      expect(await deliver(good)).toBe(204);
    });

    it('rejects an upload of another application or user, and ignores other types', async () => {
      const { start, effects } = createReceiver();
      const { deliver } = await start();
      expect(await deliver(sign({ ...UPLOAD, bucket: 'other' }))).toBe(422);
      expect(await deliver(sign({ ...UPLOAD, key: 'users/bob/photo.png' }))).toBe(422);
      expect(await deliver(sign(UPLOAD, { type: 'upload.other' }))).toBe(204);
      expect(effects()).toStrictEqual([]);
    });

    it('accepts every notification while its secret is rotated', async () => {
      const { start, effects } = createReceiver();
      const steps = [
        { secret: OLD, secrets: [OLD] },
        { secret: OLD, secrets: [OLD, NEW] },
        { secret: NEW, secrets: [OLD, NEW] },
        { secret: NEW, secrets: [NEW] },
      ];
      for (const [index, { secret, secrets }] of steps.entries()) {
        const { deliver, stop } = await start({ NOTIFY_SECRET: secret });
        expect(await deliver(sign(UPLOAD, { id: `grant-${index}`, secrets }))).toBe(204);
        await stop();
      }
      expect(effects()).toHaveLength(4);
    });
  });
}
