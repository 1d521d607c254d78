import { readdirSync, readFileSync } from 'node:fs';

export const root = new URL('../../', import.meta.url);

/** The pages below docs/, as paths from the root of the project. */
export const pages: readonly string[] = readdirSync(new URL('docs/', root), {
  recursive: true,
  encoding: 'utf8',
})
  .filter((name) => name.endsWith('.md'))
  .map((name) => `docs/${name}`)
  .sort();

/** Every Markdown document of the project that a person reads. */
export const documents: readonly string[] = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md'],
  ...pages,
  ...readdirSync(new URL('examples/', root)).map((name) => `examples/${name}/README.md`),
  ...readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `src/${name}`),
];

export function readDocument(name: string): string {
  return readFileSync(new URL(name, root), 'utf8');
}

/** A document without its code blocks, in which nothing is a link or a heading. */
export function proseOf(name: string): string {
  return readDocument(name).replaceAll(/^ *```[\s\S]*?^ *```/gm, '');
}

/** The blocks of code in a language ('' for none), without their fences. */
export function codeBlocks(name: string, language: string): readonly string[] {
  const blocks = readDocument(name).matchAll(/^```(.*)\n([\s\S]*?)^```$/gm);
  return [...blocks].flatMap(([, info, block = '']) => (info === language ? [block] : []));
}

/** The anchors of a document's headings, as GitHub makes them. */
export function anchorsOf(name: string): ReadonlySet<string> {
  return new Set(
    [...proseOf(name).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

/** A text in which each "…" stands for any text. */
export function shownPattern(shown: string): RegExp {
  const parts = shown.split('…').map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('[\\s\\S]*?')}$`);
}

/**
 * Each command of the shell blocks and of the examples with a `$` prompt, in the order in which a
 * reader meets them.
 */
export function commandsOf(document: string): readonly string[] {
  const blocks = [...readDocument(document).matchAll(/^```(sh|console)\n([\s\S]*?)^```/gm)];
  return blocks.flatMap(([, language, block = '']) => {
    const lines = block.replaceAll(/\\\n\s*/g, '').split('\n');
    if (language === 'console') return lines.flatMap((line) => (/^\$ (.*)/.exec(line) ?? []).slice(1));
    return lines.filter((line) => line !== '' && !line.startsWith('#'));
  });
}
