/**
 * Renders the lists of media types in `src/policy` from mime-db, which collects the registry of IANA
 * (https://www.iana.org/assignments/media-types) and the tables of Apache and nginx.
 */
import { readFileSync } from 'node:fs';
import { isActiveType } from '../src/policy/wildcard-types.ts';

type Entry = { readonly source?: string; readonly extensions?: readonly string[] };

const packageUrl = new URL('../node_modules/mime-db/', import.meta.url);
const types: Readonly<Record<string, Entry>> = JSON.parse(
  readFileSync(new URL('db.json', packageUrl), 'utf8'),
);
const { version }: { version: string } = JSON.parse(
  readFileSync(new URL('package.json', packageUrl), 'utf8'),
);

/** Extensions that files of a type have in practice and that mime-db does not list. */
const MORE_EXTENSIONS: Readonly<Record<string, string>> = {
  'application/gzip': 'tgz',
  'application/vnd.ms-excel': 'csv', // Windows reports this type for CSV files where Excel is installed.
  'application/x-gzip': 'gz tgz',
  'application/yaml': 'yaml yml',
  'audio/flac': 'flac',
  'audio/matroska': 'mka',
  'audio/mp4': 'mp4',
  'audio/vnd.wave': 'wav',
  'audio/webm': 'webm',
  'audio/x-flac': 'flac',
  'image/heif': 'hif',
  'image/jpeg': 'jfif',
  'image/jpg': 'jpg jpeg',
  'image/pjpeg': 'jpg jpeg',
  'image/x-png': 'png',
  'text/x-markdown': 'md',
  'video/matroska': 'mkv',
  'video/mp4': 'm4v',
  'video/ogg': 'ogg',
};

/** Extensions of files that file servers and operating systems commonly run. No type has one. */
const RUN_BY_SERVERS_AND_SYSTEMS = new Set(
  (
    'php php3 php4 php5 php7 php8 phps phar pht phtm phtml asp aspx asa asax ascx ashx asmx axd cer cshtml vbhtml svc ' +
    'jsp jspa jspf jspx jsw jsv jhtml do action cfm cfml cfc cgi fcgi pl pm py pyc pyo pyw rb rhtml erb lua luac tcl tk ' +
    'shtml shtm stm ssi htaccess config inc ' +
    'exe dll com bat cmd msi msp msm msu scr pif cpl sys drv ocx vb vbe vbs wsf wsh wsc sct ps1 psm1 psd1 reg inf lnk url ' +
    'hta chm hlp jnlp xaml xap xbap application appinstaller appx appxbundle msix msixbundle gadget mst ' +
    'sh bash csh ksh zsh run bin so elf out o app command workflow scpt applescript pkg mpkg dmg deb rpm ' +
    'jar war ear class swf air crx xpi desktop'
  ).split(' '),
);

/**
 * Extensions of files that browsers run. Only types that browsers run have them; a rule has to name
 * such a type.
 */
const RUN_BY_BROWSERS = new Set(
  (
    'html htm xhtml xht xml xsl xslt xsd dtd ent rng rdf rss atom mathml mml svg svgz js mjs cjs jsx wasm ' +
    'htc mht mhtml mhtm eml xul xbl appcache manifest'
  ).split(' '),
);

/** `src/policy/registered-types.ts`: the types of the IANA registry. */
export function renderRegisteredTypes(): string {
  const subtypes = Map.groupBy(
    Object.keys(types)
      .filter((type) => types[type]?.source === 'iana')
      .map((type) => type.split('/') as [string, string])
      .sort(([topA, subtypeA], [topB, subtypeB]) => compare(topA, topB) || compare(subtypeA, subtypeB)),
    ([top]) => top,
  );
  const members = [...subtypes].map(([top, pairs]) =>
    renderMember(
      top,
      pairs.map(([, subtype]) => subtype),
    ),
  );
  return `${banner}
/**
 * The media types that are registered with IANA: by top-level type, the subtypes in lower case,
 * separated by white space.
 */
export const REGISTERED_TYPES: Readonly<Record<string, string>> = {
${members.join('')}};
`;
}

/** `src/policy/type-extensions.ts`: which extensions files of a type may have. */
export function renderTypeExtensions(): string {
  const entries = [...new Set([...Object.keys(types), ...Object.keys(MORE_EXTENSIONS)])]
    .sort(compare)
    .map((type) => ({ type, extensions: extensionsOf(type) }))
    .filter(({ extensions }) => extensions.length > 0);
  const lines = wrap(entries.map(({ type, extensions }) => `${type}=${extensions.join(',')}`));
  return `${banner}
/**
 * The extensions that files of a media type may have, as \`type/subtype=ext,ext\` in lower case,
 * separated by white space. No type has an extension that servers or operating systems run. Only
 * types that browsers run have an extension that browsers run.
 */
export const TYPE_EXTENSIONS = \`
${lines.join('\n')}
\`;
`;
}

const banner = `// Generated from mime-db ${version} by \`npm run generate\`; do not edit.\n`;

function extensionsOf(type: string): readonly string[] {
  // No extension fits, because this type can be any file.
  if (type === 'application/octet-stream') return [];
  const known = [...(types[type]?.extensions ?? []), ...(MORE_EXTENSIONS[type]?.split(' ') ?? [])];
  return [...new Set(known)]
    .filter((extension) => /^[a-z0-9]{1,10}$/.test(extension))
    .filter((extension) => !RUN_BY_SERVERS_AND_SYSTEMS.has(extension))
    .filter((extension) => !RUN_BY_BROWSERS.has(extension) || isActiveType(type))
    .sort(compare);
}

function renderMember(name: string, words: readonly string[]): string {
  return `  ${name}: \`\n${wrap(words).join('\n')}\n\`,\n`;
}

/** Puts as many words on a line as fit. */
function wrap(words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < 130) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
