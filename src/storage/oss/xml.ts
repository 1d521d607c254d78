import { parseXml, XmlElement } from '@rgrove/parse-xml';

/** Bounds how long the event loop is occupied by a document. */
export type XmlLimits = {
  /** Characters. */
  readonly maxLength: number;
  /** Tags and references, `<` and `&`. */
  readonly maxMarkup: number;
};

/**
 * Parses a document within limits. Entities that a document declares are unknown to the parser.
 * @returns the root element; undefined if the text is not XML, or exceeds the limits.
 */
export function readXml(xml: string, { maxLength, maxMarkup }: XmlLimits): XmlElement | undefined {
  if (xml.length > maxLength || markupOf(xml) > maxMarkup) return undefined;
  try {
    // XML reads both as a line feed. The parser takes quadratic time for it.
    return parseXml(xml.replaceAll('\r\n', '\n').replaceAll('\r', '\n')).root ?? undefined;
  } catch {
    // Also if elements are nested so deeply that the parser, which is recursive, exceeds the stack.
    return undefined;
  }
}

/** The name of an element without the prefix of its namespace. */
export function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The elements of this name that an element has, without those that are nested deeper. */
export function childrenOf(parent: XmlElement, name: string): readonly XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement => child instanceof XmlElement && localName(child) === name,
  );
}

/** The text of the only element of this name; undefined if there is none, or more than one. */
export function textOf(parent: XmlElement, name: string): string | undefined {
  const [only, ...others] = childrenOf(parent, name);
  return others.length > 0 ? undefined : only?.text;
}

function markupOf(xml: string): number {
  return xml.split('<').length + xml.split('&').length - 2;
}
