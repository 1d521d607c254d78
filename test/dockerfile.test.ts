import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');

it('the image starts with the flags of `npm start`, but without the command line, which reads .env', () => {
  const flags = /^ENV NODE_OPTIONS=(.+)$/m.exec(dockerfile)?.[1];
  expect(dockerfile).toMatch(/^CMD \["node", "src\/main\.ts"\]$/m);
  expect(packageJson.scripts.start).toBe(`node ${flags} src/cli/main.ts start`);
});
