import { readFileSync } from 'node:fs';

/**
 * The demo page: choose a file, see what was asked, what was granted, and the upload's progress.
 * @param serviceUrl the origin of the service; empty when the page comes from the service itself.
 */
export function renderDemoPage(serviceUrl: string): string {
  const template = readFileSync(new URL('demo-page.html', import.meta.url), 'utf8');
  return template.replace('data-service=""', `data-service="${serviceUrl}"`);
}
