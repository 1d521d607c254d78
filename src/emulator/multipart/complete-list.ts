import { parseXml, XmlElement, type XmlNode, XmlText } from '@rgrove/parse-xml';
import { OssError } from '../oss-error.ts';
import { readPartNumber } from './part-number.ts';

export type ListedPart = {
  readonly partNumber: number;
  /** Without quotes. */
  readonly etag: string;
};

/**
 * Reads the body of CompleteMultipartUpload. SDKs write ETags with quotes, escaped or not, or
 * without, and use namespaces or not.
 * @throws OssError `MalformedXML`, `InvalidArgument` for a part number, or `InvalidPartOrder`.
 */
export function parseCompleteList(xml: string): readonly ListedPart[] {
  const root = parse(xml);
  if (localName(root) !== 'CompleteMultipartUpload') throw new OssError('malformedXml');
  const parts = elementsOf(root)
    .filter((element) => localName(element) === 'Part')
    .map((part) => ({
      partNumber: readPartNumber(textOf(part, 'PartNumber')),
      etag: textOf(part, 'ETag').replace(/^"(.*)"$/, '$1'),
    }));
  if (parts.length === 0) throw new OssError('malformedXml');
  for (const [index, { partNumber }] of parts.entries()) {
    if (partNumber <= (parts[index - 1]?.partNumber ?? 0)) throw new OssError('invalidPartOrder');
  }
  return parts;
}

function parse(xml: string): XmlElement {
  try {
    const { root } = parseXml(xml);
    if (root) return root;
  } catch {
    // Also XML with an entity that only a DTD defines.
  }
  throw new OssError('malformedXml');
}

function elementsOf({ children }: XmlElement): readonly XmlElement[] {
  return children.filter((node: XmlNode) => node instanceof XmlElement);
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1);
}

/** The text of the only child element with a name. */
function textOf(part: XmlElement, name: string): string {
  const [element, ...others] = elementsOf(part).filter((child) => localName(child) === name);
  if (!element || others.length > 0 || !element.children.every((node) => node instanceof XmlText)) {
    throw new OssError('malformedXml');
  }
  return element.text.trim();
}
