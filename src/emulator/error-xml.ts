import type { OssError } from './oss-error.ts';

/**
 * Renders the XML body of an error as OSS sends it: root `Error`, then the code's own elements.
 * Every value is escaped.
 */
export function renderErrorXml(error: OssError, request: { requestId: string; hostId: string }): string {
  const elements: Readonly<Record<string, string>> = {
    Code: error.code,
    Message: error.message,
    RequestId: request.requestId,
    HostId: request.hostId,
    ...error.fields,
    ...(error.ec && {
      EC: error.ec,
      RecommendDoc: `https://api.alibabacloud.com/troubleshoot?q=${error.ec}`,
    }),
  };
  const lines = Object.entries(elements).map(([name, value]) => `  <${name}>${escapeXml(value)}</${name}>`);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n${lines.join('\n')}\n</Error>\n`;
}

const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\r': '&#13;',
};

/**
 * XML 1.0 allows neither most control characters nor lone surrogates, even as references. They
 * become U+FFFD.
 */
function escapeXml(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[&<>\r]/g, (character) => REFERENCES[character] ?? character)
    .replaceAll(/[^\t\n\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD');
}
