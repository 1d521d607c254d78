import { readFileSync } from 'node:fs';

/**
 * The demo page: choose a file, and see the request, the response and the progress of the upload.
 * @param serviceUrl the origin of the service; empty if the service itself serves the page.
 */
export function renderDemoPage(serviceUrl: string): string {
  const template = readFileSync(new URL('demo-page.html', import.meta.url), 'utf8');
  return template.replace('data-service=""', `data-service="${serviceUrl}"`);
}
