import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { DOCS_SCRIPT, DOCS_STYLE, renderDocsPage } from './page.ts';

export type DocsFile = {
  readonly type: string;
  /** A weak ETag: the same for `bytes` and `gzipped`. */
  readonly etag: string;
  readonly bytes: Buffer;
  readonly gzipped: Buffer;
};

type Source = { readonly type: string; readonly read: () => Buffer | Promise<Buffer> };

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';
const STYLE = 'text/css; charset=utf-8';

/**
 * The page as seen from `/docs` and from `/docs/`, and each file that it loads. No other file is
 * read.
 */
const SOURCES: Readonly<Record<string, Source>> = {
  '/docs': written(HTML, renderDocsPage('docs/')),
  '/docs/': written(HTML, renderDocsPage('./')),
  '/docs/page.js': written(SCRIPT, DOCS_SCRIPT),
  '/docs/page.css': written(STYLE, DOCS_STYLE),
  '/docs/swagger-ui-bundle.js': packaged(SCRIPT, 'swagger-ui-bundle.js'),
  '/docs/swagger-ui.css': packaged(STYLE, 'swagger-ui.css'),
  '/docs/favicon-32x32.png': packaged('image/png', 'favicon-32x32.png'),
};

const compress = promisify(gzip);

/**
 * Finds the files of `/docs` by their path; undefined for every other path. A file is read and
 * compressed on its first request, and then kept: all requests share its bytes, so slow readers
 * cost no memory.
 */
export function createDocsFiles(): (path: string) => Promise<DocsFile> | undefined {
  const loaded = new Map<string, Promise<DocsFile>>();
  return (path) => {
    const source = SOURCES[path];
    if (!source) return undefined;
    const known = loaded.get(path);
    if (known) return known;
    const loading = load(source);
    loaded.set(path, loading);
    // Forget a failure, so that the next request tries again.
    loading.catch(() => loaded.delete(path));
    return loading;
  };
}

async function load({ type, read }: Source): Promise<DocsFile> {
  const bytes = await read();
  const etag = `W/"${createHash('sha256').update(bytes).digest('base64url')}"`;
  return { type, etag, bytes, gzipped: await compress(bytes) };
}

function written(type: string, content: string): Source {
  return { type, read: () => Buffer.from(content) };
}

function packaged(type: string, name: string): Source {
  return {
    type,
    read: () => {
      // Resolved but not loaded: the package's code and its dependencies stay on disk.
      const entry = createRequire(import.meta.url).resolve('@fastify/swagger-ui');
      return readFile(join(dirname(entry), 'static', name));
    },
  };
}
