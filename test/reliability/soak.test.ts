import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { mediaTarget, ownFilesRule, policyWith } from '../support/policies.ts';
import {
  type ServiceProcess,
  signForNow,
  startServiceProcess,
  uploadRequest,
} from '../support/service-process.ts';
import { LONG_LIVED, startTestEmulator } from '../support/test-emulator.ts';
import { createTestIssuer } from '../support/tokens.ts';

const SOAK_SECONDS = Number(process.env.SOAK_SECONDS ?? 30);
const WORKERS = 16;
const CALLERS = 2_000;
const MIB = 2 ** 20;
/** Of what is uploaded for real; the others are asked for only. */
const UPLOADED_OF = 20;

type Counts = Map<string, number>;

it(
  `keeps its memory and every promise for ${SOAK_SECONDS} s of everything at once`,
  async () => {
    const issuer = createTestIssuer();
    const stranger = createTestIssuer({ kid: 'unknown' });
    const emulator = await startTestEmulator({ clock: systemClock });
    const policy = (maxSize: string) =>
      policyWith({
        targets: { media: mediaTarget({ endpoint: emulator.url }) },
        rules: [
          ownFilesRule({
            maxSize,
            overwrite: true,
            limits: { requestsPerMinute: 1_000_000, bytesPerDay: '5GiB' },
          }),
        ],
      });
    const service = await startServiceProcess(issuer, policy('1MiB'), {
      OSS_ACCESS_KEY_ID: LONG_LIVED.accessKeyId,
      OSS_ACCESS_KEY_SECRET: LONG_LIVED.accessKeySecret,
    });
    const tokens = await Promise.all(
      Array.from({ length: CALLERS }, (_, n) => signForNow(issuer, { sub: `user-${n}` })),
    );
    const foreign = await signForNow(stranger);

    const counts: Counts = new Map();
    const unexpected: string[] = [];
    let isOver = false;
    const count = (what: string) => counts.set(what, (counts.get(what) ?? 0) + 1);

    async function ask(token: string, body: object): Promise<Response> {
      return fetch(`${service.url}/v1/uploads`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    }

    async function expectStatus(what: string, expected: number, response: Response): Promise<string> {
      const text = await response.text();
      count(what);
      if (response.status !== expected && unexpected.length < 10)
        unexpected.push(`${what}: ${response.status} ${text}`);
      return text;
    }

    async function work(worker: number): Promise<void> {
      for (let turn = worker; !isOver; turn += WORKERS) {
        const caller = turn % CALLERS;
        const token = tokens[caller] ?? '';
        const photo = {
          key: `users/user-${caller}/${worker}.txt`,
          contentType: 'text/plain',
          contentLength: 5,
          overwrite: true,
        };
        switch (turn % 23) {
          case 0:
            await expectStatus(
              'denied',
              403,
              await ask(token, { ...photo, key: 'users/somebody-else/a.txt' }),
            );
            break;
          case 1:
            await expectStatus('forged', 401, await ask(`${token.slice(0, -8)}AAAAAAAA`, photo));
            break;
          case 2:
            await expectStatus('unknown key', 401, await ask(foreign, photo));
            break;
          case 3:
            await expectStatus('malformed', 400, await ask(token, { ...photo, surprise: turn }));
            break;
          case 4:
            await expectStatus('too large', 403, await ask(token, { ...photo, contentLength: 2 ** 40 }));
            break;
          case 5:
            await askAndLeave(service, token, photo);
            count('left');
            break;
          default: {
            const granted = await expectStatus('granted', 201, await ask(token, photo));
            if (turn % UPLOADED_OF !== 0) break;
            const { url, headers } = JSON.parse(granted);
            await expectStatus('uploaded', 200, await fetch(url, { method: 'PUT', headers, body: 'bytes' }));
          }
        }
      }
    }

    const workers = Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
    const policies = [policy('2MiB'), 'rules: []', policy('1MiB')];
    const memory: { rss: number; heap: number; external: number }[] = [];
    const steps = 15;
    for (let step = 0; step < steps; step++) {
      writeFileSync(join(service.folder, 'policy.yaml'), policies[step % policies.length] ?? '');
      await setTimeout((SOAK_SECONDS * 1000) / steps);
      memory.push({
        rss: (await service.metric('process_resident_memory_bytes')) / MIB,
        heap: (await service.metric('nodejs_heap_size_used_bytes')) / MIB,
        external: (await service.metric('nodejs_external_memory_bytes')) / MIB,
      });
    }
    isOver = true;
    await workers;

    for (const part of ['rss', 'heap', 'external'] as const) {
      console.info(`memory in MiB, ${part}: ${memory.map((taken) => taken[part].toFixed(0)).join(' ')}`);
    }
    console.info([...counts].map(([what, times]) => `${what} ${times}`).join(', '));
    expect(unexpected).toStrictEqual([]);
    for (const what of [
      'granted',
      'uploaded',
      'denied',
      'forged',
      'unknown key',
      'malformed',
      'too large',
      'left',
    ]) {
      expect(counts.get(what), what).toBeGreaterThan(0);
    }
    // The heap grows and shrinks between two collections; what lasts shows in its lowest values. The bounds leave room for what
    // fills up once: the tokens that are remembered, the buffers of connections, the step by which V8 enlarges its space.
    const lowest = (part: typeof memory) => Math.min(...part.map(({ heap }) => heap));
    const highest = (part: typeof memory) => Math.max(...part.map(({ rss }) => rss));
    const warm = memory.slice(steps / 3, (2 * steps) / 3);
    const late = memory.slice((2 * steps) / 3);
    expect(lowest(late), 'heap').toBeLessThan(lowest(warm) * 1.2 + 24);
    expect(highest(late), 'RSS').toBeLessThan(highest(warm) * 1.1 + 32);
  },
  (SOAK_SECONDS + 60) * 1000,
);

/** Sends a request and closes the connection before the response. */
async function askAndLeave({ url }: ServiceProcess, token: string, body: object): Promise<void> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  await new Promise((resolve) => socket.write(uploadRequest(token, body), resolve));
  socket.resetAndDestroy();
  await once(socket, 'close');
}
