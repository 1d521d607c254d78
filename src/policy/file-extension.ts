import { TYPE_EXTENSIONS } from './type-extensions.ts';

const EXTENSIONS_BY_TYPE: ReadonlyMap<string, readonly string[]> = new Map(
  TYPE_EXTENSIONS.trim()
    .split(/\s+/)
    .map((entry) => {
      const [type = '', extensions = ''] = entry.split('=');
      return [type, extensions.split(',')];
    }),
);

/**
 * Returns the extension of a file name, in lower case without the dot, if files of the type have
 * it.
 * @param essence the media type's `type/subtype` in lower case.
 * @returns undefined for every other extension, for a name without one, and for a type without
 *   known extensions, such as `application/octet-stream`.
 */
export function fittingExtension(filename: string, essence: string): string | undefined {
  const dot = filename.lastIndexOf('.');
  if (dot < 0) return undefined;
  const extension = filename.slice(dot + 1).toLowerCase();
  return EXTENSIONS_BY_TYPE.get(essence)?.includes(extension) ? extension : undefined;
}
