import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };

const dockerfile = readFileSync(new URL('../Dockerfile', import.meta.url), 'utf8');

it('the image starts with the flags of `npm start`, but without the command line, which reads .env', () => {
  const flags = /^ENV NODE_OPTIONS=(.+)$/m.exec(dockerfile)?.[1];
  expect(dockerfile).toMatch(/^CMD \["node", "src\/main\.ts"\]$/m);
  expect(packageJson.scripts.start).toBe(`node ${flags} src/cli/main.ts start`);
});

it('the image of the demo has the development packages that emulator and demo import, and no other', () => {
  const source = new URL('../src/', import.meta.url);
  const imported = ['emulator', 'demo'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, source), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) => {
        const code = readFileSync(new URL(`${folder}/${file}`, source), 'utf8');
        return [...code.matchAll(/ from '((?:@[^/']+\/)?[^./'][^/']*)/g)].map(([, name = '']) => name);
      }),
  );
  const needed = [...new Set(imported)].filter((name) => name in packageJson.devDependencies);
  const copied = [...dockerfile.matchAll(/^COPY --from=demo-dependencies \/app\/node_modules\/(\S+) /gm)];
  expect(copied.map(([, name]) => name)).toStrictEqual(needed.sort());
  expect(needed).toContain('@fastify/busboy');
});
