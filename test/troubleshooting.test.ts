import { readFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { runCli } from './cli/run-cli.ts';
import { type ClientStage, startStage } from './support/client-stage.ts';

const text = readFileSync(new URL('../docs/troubleshooting.md', import.meta.url), 'utf8');

/** The answers that the page shows, in its order; "…" stands for anything. */
const shown = [...text.matchAll(/```xml\n([\s\S]*?)\n```/g)].map(
  ([, block = '']) =>
    new RegExp(
      block
        .split('…')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('[\\s\\S]*?'),
    ),
);

it.each([
  { index: 0, trouble: 'a header is missing', change: { 'x-oss-meta-album': undefined } },
  { index: 1, trouble: 'a header is another', change: { 'x-oss-forbid-overwrite': 'false' } },
  { index: 2, trouble: 'there is no Content-Type', change: { 'Content-Type': undefined } },
  { index: 3, trouble: 'the URL has expired', change: {}, clockAheadSeconds: 601 },
])('block $index of the troubleshooting page is what OSS answers when $trouble', async (row) => {
  const stage = await startStage();
  onTestFinished(stage.close);
  stage.setClockAhead(row.clockAheadSeconds ?? 0);
  expect(await upload(stage, row.change)).toMatch(shown[row.index] ?? '');
});

it('block 4 of the troubleshooting page is what OSS answers when no CORS rule matches', async () => {
  const stage = await startStage();
  onTestFinished(stage.close);
  const answer = await fetch(`${stage.oss.url}/acme-media/users/alice/note.txt`, {
    method: 'OPTIONS',
    headers: { origin: 'https://app.example.com', 'access-control-request-method': 'PUT' },
  });
  expect(await answer.text()).toMatch(shown[4] ?? '');
});

it('the CORS rule of the troubleshooting page is what bucket-cors prints for the policy of the demo', async () => {
  const policy = readFileSync(new URL('../src/demo/policy.yaml', import.meta.url), 'utf8');
  const { stdout } = await runCli(['bucket-cors', '--origin', 'https://app.example.com'], {
    files: { 'policy.yaml': policy },
    env: {
      DEMO_ISSUER: 'http://localhost:8090/',
      DEMO_JWKS_URL: 'http://localhost:8090/jwks',
      DEMO_OSS_ENDPOINT: 'http://localhost:9000',
    },
  });
  const printed = /<<'XML'\n([\s\S]*?)XML\n/.exec(stdout)?.[1] ?? 'nothing';
  expect(text).toContain(`\n\`\`\`xml\n${printed}\`\`\`\n`);
});

/** Asks for a URL and uploads with changed headers; the answer of OSS. */
async function upload(
  stage: ClientStage,
  change: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  stage.changeGrantedHeaders(change);
  const asked = await fetch(`${stage.service.url}/v1/uploads`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stage.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      key: 'users/alice/note.txt',
      contentType: 'text/plain',
      contentLength: 14,
      metadata: { album: 'examples' },
    }),
  });
  const { method, url, headers } = (await asked.json()) as {
    method: string;
    url: string;
    headers: Record<string, string>;
  };
  const sent = await fetch(url, { method, headers, body: Buffer.from('Hello, bucket\n') });
  return await sent.text();
}
