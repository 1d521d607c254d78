/** Renders an element with a text, on a line with four spaces before it. */
export function xmlElement(name: string, text: string): string {
  return `    <${name}>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</${name}>\n`;
}
