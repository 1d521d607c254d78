import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Bodies that send a request to the gallery when a browser runs them, by name. */
const BODIES: Readonly<Record<string, (home: string) => string>> = {
  html: (home) => `<!doctype html><title>x</title><script>new Image().src=${JSON.stringify(home)}</script>`,
  xml: (home) =>
    `<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title></head><body>` +
    `<script>new Image().src=${JSON.stringify(home)}</script></body></html>\n`,
};

/** Objects of one type in each of the bodies. */
export const BODY_NAMES = Object.keys(BODIES);

export type Gallery = {
  readonly url: string;
  /** The objects that ran so far, as `type body`. */
  readonly ran: ReadonlySet<string>;
  /** How many objects were sent to the browser. */
  readonly sent: () => number;
  /** Settles when the browser has opened every object of every type, and the controls after them have called home. */
  readonly done: Promise<void>;
  close(): Promise<void>;
};

/**
 * Serves a page that opens an object of each type and body in a frame, some at a time, and reports when it is through. Objects
 * come as OSS serves them: with the type that they were stored with, and nothing that keeps the browser from sniffing.
 *
 * The page opens `text/html` after each batch and goes on only when that has called home, so that scripts which were opened
 * before it had their time.
 */
export async function startGallery(types: readonly string[], batchSize = 60): Promise<Gallery> {
  const objects = types.flatMap((type) => BODY_NAMES.map((body) => ({ type, body })));
  const ran = new Set<string>();
  const sent = new Set<number>();
  const waiting = new Map<string, () => void>();
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();

  const server = createServer((request, response) => {
    // The browser opens few connections to a host, and one that is kept could wait for an object that it gave up.
    response.setHeader('connection', 'close').setHeader('cache-control', 'no-store');
    const [, folder, index = ''] = (request.url ?? '').split('/');
    const number = Number(index);
    if (folder === 'object') {
      const object = objects[number];
      sent.add(number);
      response
        .setHeader('content-type', object?.type ?? '')
        .end(BODIES[object?.body ?? '']?.(`/home/${number}`));
      settle();
    } else if (folder === 'sent') {
      // Responds when every object before this one was sent.
      waiting.set(index, () => response.end());
      settle();
    } else if (folder === 'after') {
      response
        .setHeader('content-type', 'text/html')
        .end(`<!doctype html><script>parent.postMessage(${number}, '*')</script>`);
    } else if (folder === 'home') {
      ran.add(`${objects[number]?.type} ${objects[number]?.body}`);
      response.setHeader('access-control-allow-origin', '*').end();
    } else if (folder === 'done') {
      response.end();
      finish();
    } else if (folder === '') {
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page(objects.length, batchSize));
    } else {
      response.writeHead(404).end();
    }
  });
  const settle = () => {
    for (const [index, respond] of waiting) {
      if (sent.size < Number(index)) continue;
      waiting.delete(index);
      respond();
    }
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ran,
    sent: () => sent.size,
    done,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Frames may run scripts but not download: what a browser saves in place of showing it would only leave files behind. */
function page(count: number, batchSize: number): string {
  return `<!doctype html><title>Gallery</title><body><script type="module">
const open = (src) => {
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-scripts';
  frame.src = src;
  document.body.append(frame);
};
for (let first = 0; first < ${count}; first += ${batchSize}) {
  const end = Math.min(first + ${batchSize}, ${count});
  for (let index = first; index < end; index++) open('/object/' + index);
  await fetch('/sent/' + end);
  for (let turn = 0; turn < 2; turn++) {
    const ran = new Promise((resolve) => addEventListener('message', resolve, { once: true }));
    open('/after/' + end);
    await ran;
  }
  document.body.replaceChildren();
}
await fetch('/done');
</script>`;
}
