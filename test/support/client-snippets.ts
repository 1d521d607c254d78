import { readFileSync } from 'node:fs';

type Upload = (file: File, token: string) => Promise<{ readonly key: string; readonly isNotified: boolean }>;

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');

/** The JavaScript that docs/clients.md shows for pages, for a service at another address. */
export function browserSnippet(service: string): string {
  const [, code] = /## From a browser\n\n```js\n([\s\S]*?)\n```/.exec(page) ?? [];
  if (!code?.includes('https://presign.example.com'))
    throw new Error('docs/clients.md has no snippet for pages.');
  return code.replace('https://presign.example.com', service);
}

/** The JavaScript that docs/clients.md shows for a version of Uppy. */
export function uppySnippet(version: 5 | 6): string {
  const [, code] = new RegExp(`Uppy ${version} \\(.*\n\n\`\`\`js\n([\\s\\S]*?)\n\`\`\``).exec(page) ?? [];
  if (!code) throw new Error(`docs/clients.md has no snippet for Uppy ${version}.`);
  return code;
}

/** The function `upload` of {@link browserSnippet}. */
export async function snippetUpload(service: string): Promise<Upload> {
  const source = `${browserSnippet(service)}\nexport { upload };`;
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).upload;
}
