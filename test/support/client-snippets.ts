import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { codeBlocks } from './documents.ts';

type Upload = (file: File, token: string) => Promise<{ readonly key: string; readonly isNotified: boolean }>;

const page = readFileSync(new URL('../../docs/clients.md', import.meta.url), 'utf8');
const formPage = readFileSync(new URL('../../docs/forms.md', import.meta.url), 'utf8');

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

/** The JavaScript that docs/forms.md shows for pages, for a service at another address. */
export function formSnippets(service: string): string {
  const blocks = [...formPage.matchAll(/```js\n(async function [\s\S]*?)\n```/g)].map(
    ([, code = '']) => code,
  );
  if (blocks.length !== 2 || !blocks[0]?.includes('https://presign.example.com'))
    throw new Error('docs/forms.md has no two snippets for pages.');
  return blocks.join('\n\n').replace('https://presign.example.com', service);
}

/** The HTML form of docs/forms.md. Its script needs `requestForm` of {@link formSnippets}. */
export function formHtml(): string {
  const [, html] = /```html\n([\s\S]*?)\n```/.exec(formPage) ?? [];
  if (!html) throw new Error('docs/forms.md has no HTML form.');
  return html;
}

/** The pipeline of docs/forms.md that sends the form of `form.json` with curl. */
export function formCurl(): string {
  const [, command] = /```sh\n(jq [\s\S]*?)\n```/.exec(formPage) ?? [];
  if (!command) throw new Error('docs/forms.md has no command with curl.');
  return command;
}

/** The function `uploadForm` of {@link formSnippets}. */
export async function formUpload(service: string): Promise<(file: File, token: string) => Promise<string>> {
  const source = `${formSnippets(service)}\nexport { uploadForm };`;
  return (await import(`data:text/javascript,${encodeURIComponent(source)}`)).uploadForm;
}

/** The JavaScript of docs/adapters.md that imports this from a package, for a service at another address. */
export function adapterSnippet(imported: string, service: string): string {
  const code = codeBlocks('docs/adapters.md', 'js').find((block) => block.startsWith(`import ${imported};`));
  if (!code) throw new Error(`docs/adapters.md has no snippet that imports ${imported}.`);
  return code.replaceAll('https://presign.example.com', service);
}

/** The rules of docs/adapters.md. */
export function adapterRules(): readonly Readonly<Record<string, unknown>>[] {
  return parse(codeBlocks('docs/adapters.md', 'yaml')[0] ?? '').rules;
}
