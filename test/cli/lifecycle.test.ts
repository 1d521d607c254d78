import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { ownFilesRule, policyWith } from '../support/policies.ts';
import { runCli } from '../support/run-cli.ts';
import { createTestIssuer } from '../support/tokens.ts';

const jwks = JSON.stringify(createTestIssuer().jwks);
const MULTIPART = { transfers: ['put', 'multipart'] };

const print = (...rules: Parameters<typeof ownFilesRule>[0][]) =>
  runCli(['lifecycle'], {
    files: {
      'policy.yaml': policyWith({
        rules: rules.map((fields, index) => ownFilesRule({ name: `rule-${index}`, ...fields })),
      }),
      'jwks.json': jwks,
    },
  });

it('prints the rule of each prefix with multipart uploads, up to the first claim', async () => {
  const { code, stdout, stderr } = await print(
    { ...MULTIPART, prefix: 'a<&]]>/{sub}/b/', uploadExpiresIn: '36h' },
    { ...MULTIPART, prefix: 'films/' },
    { prefix: 'plain/' },
  );
  expect([code, stderr]).toStrictEqual([0, '']);
  expect(
    stdout,
  ).toBe(`# acme-media: this replaces all lifecycle rules that the bucket has. Print them, and add them to the XML below:
#   ossutil api get-bucket-lifecycle --bucket acme-media --region cn-hangzhou
cat > lifecycle-acme-media.xml <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<LifecycleConfiguration>
  <Rule>
    <ID>oss-presign-multipart-1</ID>
    <Prefix>a&lt;&amp;]]&gt;/</Prefix>
    <Status>Enabled</Status>
    <AbortMultipartUpload>
      <Days>3</Days>
    </AbortMultipartUpload>
  </Rule>
  <Rule>
    <ID>oss-presign-multipart-2</ID>
    <Prefix>films/</Prefix>
    <Status>Enabled</Status>
    <AbortMultipartUpload>
      <Days>8</Days>
    </AbortMultipartUpload>
  </Rule>
</LifecycleConfiguration>
XML
ossutil api put-bucket-lifecycle --bucket acme-media --region cn-hangzhou --lifecycle-configuration file://lifecycle-acme-media.xml
`);
});

it('prints that there is nothing to set if no rule has multipart uploads', async () => {
  expect(await print({})).toStrictEqual({
    code: 0,
    stdout: '# No rule of the policy has multipart uploads, so no bucket needs a lifecycle rule.\n',
    stderr: '',
  });
});

it('explains that the rules of the bucket are replaced', async () => {
  const { stdout } = await runCli(['lifecycle', '--help']);
  expect(stdout).toContain('then replaces ALL lifecycle rules of\nthe bucket');
});

it('is a script that writes the XML and runs ossutil with it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'oss-presign-lifecycle-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'ossutil'), '#!/bin/sh\necho "$@"\n', { mode: 0o755 });
  const { stdout } = await print({ ...MULTIPART, prefix: "it's/$HOME/`id`/" });
  const output = execFileSync('sh', [], {
    cwd: folder,
    input: stdout,
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}` },
  });
  expect(output).toBe(
    'api put-bucket-lifecycle --bucket acme-media --region cn-hangzhou --lifecycle-configuration file://lifecycle-acme-media.xml\n',
  );
  expect(readFileSync(join(folder, 'lifecycle-acme-media.xml'), 'utf8')).toContain(
    "    <Prefix>it's/$HOME/`id`/</Prefix>\n",
  );
});
