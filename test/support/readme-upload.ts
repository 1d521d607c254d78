import { readFileSync } from 'node:fs';

type Upload = (file: File, token: string) => Promise<{ readonly key: string; readonly isNotified: boolean }>;

/** The JavaScript that the README shows for pages, for a service at another address. */
export function readmeSnippet(service: string): string {
  const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, code] = /### From a browser\n\n```js\n([\s\S]*?)\n```/.exec(text) ?? [];
  if (!code?.includes('https://presign.example.com')) throw new Error('The README has no snippet for pages.');
  return code.replace('https://presign.example.com', service);
}

/** The JavaScript that the README shows for a version of Uppy. */
export function readmeUppySnippet(version: 5 | 6): string {
  const text = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, code] = new RegExp(`Uppy ${version} \\(.*\n\n\`\`\`js\n([^]*?)\n\`\`\``).exec(text) ?? [];
  if (!code) throw new Error(`The README has no snippet for Uppy ${version}.`);
  return code;
}

/** The function of that snippet. */
export async function readmeUpload(service: string): Promise<Upload> {
  const source = `${readmeSnippet(service)}\nexport { upload };`;
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).upload;
}
