import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ClientEnvironment, startClientEnvironment } from '../support/client-environment.ts';

const guide = readFileSync(new URL('../../docs/git-lfs.md', import.meta.url), 'utf8');
/** The address in the guide. */
const GUIDE_URL = 'https://presign.example.com';
const RULE = {
  name: 'team-files',
  prefix: 'team/',
  contentTypes: ['application/octet-stream'],
  naming: 'client',
};

type Run = { readonly code: number | null; readonly output: string };

/** A person of the team, with their own computer. */
type Person = {
  readonly token: string;
  /** Runs a script in a folder of this person. */
  sh(folder: string, script: string): Promise<Run>;
  /** Writes a file of random bytes, and returns their SHA-256. */
  write(file: string, bytes?: number): string;
  read(file: string): Buffer;
};

type Team = {
  readonly environment: ClientEnvironment;
  /** A person, set up as in the guide. */
  person(name: string, token?: string): Promise<Person>;
  /** A person with a repository that has the settings of the guide, and whose first commit is pushed. */
  author(token?: string): Promise<Person>;
  /** The methods of the requests for objects that reached OSS, in order. */
  sent(): readonly string[];
};

/** Runs a test with its own servers and computers: most of the time git-lfs waits before it repeats something. */
async function withTeam(
  rule: Readonly<Record<string, unknown>>,
  test: (team: Team) => Promise<void>,
): Promise<void> {
  const environment = await startClientEnvironment({
    rule: { ...RULE, ...rule },
    adapters: 'lfs',
  });
  const home = mkdtempSync(join(tmpdir(), 'oss-presign-git-lfs-'));
  const people: Person[] = [];
  const toWire = (body: string) => body.replaceAll('https://presign.test', environment.service.url);
  environment.service.interfere({ response: toWire });
  const person = async (name: string, token = environment.token): Promise<Person> => {
    const folder = join(home, name);
    mkdirSync(join(folder, 'repository'), { recursive: true });
    const one: Person = {
      token,
      sh: (inside, script) => run(join(folder, inside), folder, token, script),
      write: (file, bytes = 100_000) => {
        const content = randomBytes(bytes);
        writeFileSync(join(folder, 'repository', file), content);
        return createHash('sha256').update(content).digest('hex');
      },
      read: (file) => readFileSync(join(folder, file)),
    };
    people.push(one);
    const identity = `git config --global user.name ${name}; git config --global user.email ${name}@example.com`;
    expect(await one.sh('.', `${identity}\n${block('each person')}`)).toMatchObject({ code: 0 });
    return one;
  };
  const block = (mark: string) =>
    blockOf(mark)
      .replaceAll(GUIDE_URL, environment.service.url)
      .replaceAll('protocol=https', 'protocol=http')
      .replaceAll('presign.example.com', new URL(environment.service.url).host);
  try {
    await test({
      environment,
      person,
      author: async (token) => {
        const author = await person('author', token);
        await author.sh('.', `git init -q --bare -b main '${home}/remote.git'`);
        const script = `set -e; git init -q -b main; git remote add origin '${home}/remote.git'\n${block('repository')}`;
        expect(await author.sh('repository', script)).toMatchObject({ code: 0 });
        return author;
      },
      sent: () =>
        environment.oss.exchanges
          .filter(({ target }) => target.includes('/lfs/'))
          .map(({ method }) => method),
    });
  } finally {
    for (const one of people) await one.sh('.', 'git credential-cache exit');
    await environment.close();
    rmSync(home, { recursive: true });
  }
}

/** The shell lines of the guide after the comment `<!-- MARK -->`. */
function blockOf(mark: string): string {
  const [, after = ''] = guide.split(`<!-- ${mark} -->`);
  const [, lines] = /^\s*```sh\n(.*?)```/s.exec(after) ?? [];
  if (!lines) throw new Error(`docs/git-lfs.md has no block after <!-- ${mark} -->`);
  return lines;
}

async function run(cwd: string, home: string, token: string, script: string): Promise<Run> {
  const child = spawn('bash', ['-c', script], {
    cwd,
    env: {
      PATH: process.env.PATH,
      HOME: home,
      LC_ALL: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      OSS_PRESIGN_TOKEN: token,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  expect(output).not.toContain(token);
  return { code, output };
}

const push = (person: Person, what = 'change') =>
  person.sh('repository', `git add . && git commit -q -m '${what}' && git push -q -u origin main`);

const keyOf = (oid: string) => `team/lfs/${oid.slice(0, 2)}/${oid}`;

describe.concurrent('git-lfs', () => {
  it('pushes with the hook of git, confirms each object, and sends nothing twice', () =>
    withTeam({}, async ({ environment, author, sent }) => {
      const alice = await author();
      const oids = ['图 🎬 (1).psd', 'b.psd'].map((file) => alice.write(file));
      expect(await push(alice)).toMatchObject({ code: 0 });
      for (const oid of oids)
        expect(await environment.read(keyOf(oid))).toMatchObject({
          status: 200,
          sha256: oid,
          bytes: 100_000,
        });
      expect(sent().toSorted()).toStrictEqual(['HEAD', 'HEAD', 'HEAD', 'HEAD', 'PUT', 'PUT']);
      const verified = environment.service.exchanges.filter(({ target }) => target.endsWith('/verify'));
      expect(verified.map(({ status }) => status)).toStrictEqual([200, 200]);
      environment.oss.interfere({});
      expect(await alice.sh('repository', 'git lfs push --all origin')).toMatchObject({ code: 0 });
      expect(sent()).toStrictEqual(['HEAD', 'HEAD']);
    }));

  it('stores an object whose response was lost, and pushes its history again', () =>
    withTeam({}, async ({ environment, author, sent }) => {
      const alice = await author();
      const oid = alice.write('a.psd');
      environment.oss.interfere({ faults: [undefined, 'lose response'] });
      expect(await push(alice)).toMatchObject({ code: 0 });
      expect(await environment.read(keyOf(oid))).toMatchObject({ sha256: oid });
      expect(sent()).toStrictEqual(['HEAD', 'PUT', 'HEAD']);
      expect(await alice.sh('repository', 'git lfs push --all origin')).toMatchObject({ code: 0 });
      expect(sent().slice(3)).toStrictEqual(['HEAD']);
    }));

  it('repeats a PUT that was cut, and a request that the service could not serve', () =>
    withTeam({}, async ({ environment, author }) => {
      const alice = await author();
      const oid = alice.write('a.psd');
      environment.oss.interfere({ faults: [undefined, 'reset', { status: 503 }] });
      expect(await push(alice)).toMatchObject({ code: 0 });
      expect(await environment.read(keyOf(oid))).toMatchObject({ sha256: oid });
    }));

  it('sends nothing if a second person pushes the same file', () =>
    withTeam({}, async ({ environment, author, person, sent }) => {
      const alice = await author();
      const oid = alice.write('a.psd');
      expect(await push(alice)).toMatchObject({ code: 0 });
      const bob = await person('bob', await environment.sign({ sub: 'bob' }));
      const remote = (await alice.sh('repository', 'git remote get-url origin')).output.trim();
      expect(await bob.sh('.', `git clone -q '${remote}' repository`)).toMatchObject({ code: 0 });
      environment.oss.interfere({});
      const copy = await bob.sh('repository', 'cp a.psd copy.psd && git checkout -q -b bob');
      expect(copy).toMatchObject({ code: 0 });
      const pushed = 'git add . && git commit -q -m copy && git lfs push --all origin bob';
      expect(await bob.sh('repository', pushed)).toMatchObject({ code: 0 });
      expect([sent(), oid]).toStrictEqual([['HEAD'], oid]);
    }));

  it('clones what a rule with download lets the caller read', () =>
    withTeam({}, async ({ environment, author, person }) => {
      const alice = await author();
      const oid = alice.write('a.psd', 3_000_000);
      expect(await push(alice)).toMatchObject({ code: 0 });
      const bob = await person('bob', await environment.sign({ sub: 'bob' }));
      const remote = (await alice.sh('repository', 'git remote get-url origin')).output.trim();
      expect(await bob.sh('.', `git clone -q '${remote}' clone`)).toMatchObject({ code: 0 });
      expect(createHash('sha256').update(bob.read('clone/a.psd')).digest('hex')).toBe(oid);
    }));

  it('prints why a file is denied, and sends nothing', () =>
    withTeam({ maxSize: '50KB' }, async ({ author, sent }) => {
      const alice = await author();
      alice.write('a.psd');
      const { code, output } = await push(alice);
      expect(code).not.toBe(0);
      expect(output).toMatch(/has 100000 bytes; at most 50000 are allowed/);
      expect(sent()).toStrictEqual([]);
    }));

  it('prints that the token is rejected, and sends nothing', () =>
    withTeam({}, async ({ environment, author, sent }) => {
      const alice = await author('wrong.token.value');
      alice.write('a.psd');
      const { code, output } = await push(alice);
      expect(code).not.toBe(0);
      expect(output).toContain('could not read Password');
      // Without credentials, and once with the token.
      expect(environment.service.exchanges.map(({ status }) => status)).toStrictEqual([401, 401]);
      expect(sent()).toStrictEqual([]);
    }));
});
