import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Crc64 } from './crc64.ts';

/** An object without its bytes. */
export type StoredObject = {
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** In hex, upper case, without quotes. */
  readonly etag: string;
  /** Base64 of the MD5. */
  readonly contentMd5: string;
  /** Decimal. */
  readonly crc64: string;
  readonly lastModified: string;
  /** What is served back with the object, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** The name of the file that holds the bytes. */
  readonly dataFile: string;
};

/** Bytes that have arrived and been summed, but are not an object yet. */
export type ReceivedBytes = Pick<StoredObject, 'size' | 'etag' | 'contentMd5' | 'crc64' | 'dataFile'>;

export type ObjectStore = {
  /** Streams bytes to disk. When the stream fails nothing is left behind. */
  receive(body: Readable): Promise<ReceivedBytes>;
  /** Forgets received bytes that shall not become an object. */
  discard(bytes: ReceivedBytes): Promise<void>;
  /** Makes an object at once visible, whole. With `keepExisting` it answers false and keeps the object that is there. */
  commit(object: StoredObject, keepExisting: boolean): Promise<boolean>;
  find(key: string): Promise<StoredObject | undefined>;
  /** The object's bytes from `start` to `end`, both included. */
  read(object: StoredObject, start: number, end: number): Readable;
  remove(key: string): Promise<void>;
};

/**
 * Opens the objects of one bucket: for each a file with its bytes and one with all the rest, which names the first. Since only
 * the second is moved into place, by one rename or link, no reader ever sees half an object, and no key is a file name.
 * @param newFileName makes a name that was never used before.
 */
export async function openObjectStore(directory: string, newFileName: () => string): Promise<ObjectStore> {
  const entries = join(directory, 'entries');
  const data = join(directory, 'data');
  await Promise.all([entries, data].map((folder) => mkdir(folder, { recursive: true })));
  const entryOf = (key: string) => join(entries, `${createHash('sha256').update(key).digest('hex')}.json`);
  const removeData = (name: string) => rm(join(data, name), { force: true });
  /** The last change of each key under way: changes of one key happen one after the other. */
  const changes = new Map<string, Promise<unknown>>();

  return {
    async receive(body) {
      const dataFile = newFileName();
      const md5 = createHash('md5');
      const crc = new Crc64();
      let size = 0;
      const sums = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          size += chunk.length;
          md5.update(chunk);
          crc.update(chunk);
          done(null, chunk);
        },
      });
      try {
        await pipeline(body, sums, createWriteStream(join(data, dataFile), { flags: 'wx' }));
      } catch (error) {
        await removeData(dataFile);
        throw error;
      }
      const digest = md5.digest();
      return {
        size,
        etag: digest.toString('hex').toUpperCase(),
        contentMd5: digest.toString('base64'),
        crc64: crc.digest(),
        dataFile,
      };
    },
    discard: ({ dataFile }) => removeData(dataFile),
    commit: (object, keepExisting) =>
      inTurn(object.key, async () => {
        const draft = join(data, `${object.dataFile}.json`);
        await writeFile(draft, JSON.stringify(object));
        const before = await find(object.key);
        if (keepExisting) {
          try {
            await link(draft, entryOf(object.key));
          } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
            await removeData(object.dataFile);
            return false;
          } finally {
            await rm(draft);
          }
        } else {
          await rename(draft, entryOf(object.key));
          if (before) await removeData(before.dataFile);
        }
        return true;
      }),
    find,
    read: ({ dataFile }, start, end) => createReadStream(join(data, dataFile), { start, end }),
    remove: (key) =>
      inTurn(key, async () => {
        const before = await find(key);
        await rm(entryOf(key), { force: true });
        if (before) await removeData(before.dataFile);
      }),
  };

  async function find(key: string): Promise<StoredObject | undefined> {
    try {
      return JSON.parse(await readFile(entryOf(key), 'utf8')) as StoredObject;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  function inTurn<T>(key: string, change: () => Promise<T>): Promise<T> {
    const turn = (changes.get(key) ?? Promise.resolve()).then(change, change);
    changes.set(key, turn);
    const forget = () => {
      if (changes.get(key) === turn) changes.delete(key);
    };
    turn.then(forget, forget);
    return turn;
  }
}
