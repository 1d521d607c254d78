import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');

it('starts the image as `npm start` starts the service, flags and all', () => {
  const flags = /^ENV NODE_OPTIONS=(.+)$/m.exec(dockerfile)?.[1];
  const [node, main] = JSON.parse(/^CMD (\["node", "src\/main\.ts"\])$/m.exec(dockerfile)?.[1] ?? '[]');
  expect(`${node} ${flags} ${main}`).toBe(packageJson.scripts.start);
});
