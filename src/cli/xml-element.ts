/**
 * Renders an element with a text, on a line with four spaces before it. XML also forbids the `>` of
 * `]]>` in a text.
 */
export function xmlElement(name: string, text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `    <${name}>${escaped}</${name}>\n`;
}
