import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { onTestFinished } from 'vitest';

/**
 * Starts a server in a separate thread, so that it responds while this thread is blocked.
 *
 * It speaks RESP and counts requests as the script does. After `hang` it reads without replying.
 */
export async function startFakeRedis(): Promise<{ readonly url: string; hang(): Promise<void> }> {
  const worker = new Worker(SERVER, { eval: true });
  onTestFinished(async () => void (await worker.terminate()));
  const [port] = await once(worker, 'message');
  const hang = async () => {
    worker.postMessage('hang');
    await once(worker, 'message');
  };
  return { url: `redis://127.0.0.1:${port}`, hang };
}

/** Blocks this thread without using CPU time. */
export function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const SERVER = `
const { createServer } = require('node:net');
const { parentPort } = require('node:worker_threads');
let hangs = false;
parentPort.on('message', () => { hangs = true; parentPort.postMessage('hangs'); });
const used = new Map();
const bulk = (text) => '$' + Buffer.byteLength(text) + '\\r\\n' + text + '\\r\\n';

function count(args) {
  const keys = args.slice(3, 3 + Number(args[2]));
  const limits = args.at(-1).split(';').slice(0, -1);
  return JSON.stringify(limits.flatMap((limit, index) => {
    const [allowed, amount] = limit.split(',');
    if (allowed === '') return [0, 0];
    const before = used.get(keys[index]) ?? 0;
    if (before + Number(amount) <= Number(allowed)) used.set(keys[index], before + Number(amount));
    return [before, 60000];
  }));
}

function reply(args) {
  switch (args[0].toLowerCase()) {
    case 'hello': return '%0\\r\\n';
    case 'info': return bulk('loading:0\\r\\n');
    case 'eval':
    case 'evalsha': return bulk(count(args));
    default: return '+OK\\r\\n';
  }
}

const server = createServer((socket) => {
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
    for (;;) {
      const head = /^\\*(\\d+)\\r\\n/.exec(text);
      if (!head) return;
      let at = head[0].length;
      const args = [];
      while (args.length < Number(head[1])) {
        const size = /^\\$(\\d+)\\r\\n/.exec(text.slice(at));
        if (!size || text.length < at + size[0].length + Number(size[1]) + 2) return;
        at += size[0].length;
        args.push(text.slice(at, at + Number(size[1])));
        at += Number(size[1]) + 2;
      }
      text = text.slice(at);
      if (!hangs) socket.write(reply(args));
    }
  });
});
server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
`;
