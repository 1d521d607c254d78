/**
 * The Content-Security-Policy of `/docs`: the page may load files of this service and send requests
 * to it. Swagger UI needs no inline script, no inline style and no eval; its style sheet contains
 * its icons as data.
 */
export const DOCS_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/**
 * The page of `/docs`. All its URLs are relative, so it works below any prefix that a proxy
 * removes.
 * @param folder the folder of the page's files, relative to the page's own URL; ends in a slash.
 */
export function renderDocsPage(folder: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>oss-presign: the API</title>
<link rel="icon" href="${folder}favicon-32x32.png">
<link rel="stylesheet" href="${folder}swagger-ui.css">
<link rel="stylesheet" href="${folder}page.css">
</head>
<body>
<noscript><p>This page needs JavaScript. The document that it shows is <a href="${folder}../openapi.yaml">openapi.yaml</a>.</p></noscript>
<main id="document"></main>
<footer>Shown by Swagger UI, © SmartBear Software Inc., Apache-2.0.</footer>
<script src="${folder}swagger-ui-bundle.js"></script>
<script src="${folder}page.js"></script>
</body>
</html>
`;
}

/**
 * Starts Swagger UI. `validatorUrl` is null because the default would send the document's URL to
 * swagger.io. A pasted token is forgotten when the tab closes. The document names `/` as the
 * server; below a prefix, requests have to go there.
 */
export const DOCS_SCRIPT = `const service = new URL('..', document.currentScript.src).href;
const keepPrefix = () => ({
  statePlugins: {
    spec: {
      wrapActions: {
        updateJsonSpec: (update) => (spec) => update({ ...spec, servers: [{ url: service }] }),
      },
    },
  },
});
SwaggerUIBundle({
  url: service + 'openapi.yaml',
  dom_id: '#document',
  layout: 'BaseLayout',
  presets: [SwaggerUIBundle.presets.apis],
  plugins: [keepPrefix],
  validatorUrl: null,
  persistAuthorization: false,
  queryConfigEnabled: false,
  deepLinking: true,
  defaultModelRendering: 'model',
  defaultModelExpandDepth: 2,
  defaultModelsExpandDepth: 1,
});
`;

/**
 * For narrow screens: long patterns break. The button per field and the empty column of links are
 * hidden.
 */
export const DOCS_STYLE = `body { margin: 0; }
footer, noscript p { margin: 2rem auto; padding: 0 20px; max-width: 1460px; font: 12px sans-serif; color: #3b4151; }
.swagger-ui .json-schema-2020-12 { overflow-wrap: anywhere; }
.swagger-ui .json-schema-2020-12-expand-deep-button, .swagger-ui .response-col_links { display: none; }
`;
