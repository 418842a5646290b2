// The reading page: swagger-ui from our own packages, without its index page and its initializer, which would show
// another's document and load things from outside.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

interface DocsFile {
  readonly type: string;
  readonly content: () => Promise<Buffer>;
}

const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

function fromPackage(name: string, type: string): [string, DocsFile] {
  return [name, { type, content: () => readFile(join(folder, name)) }];
}

const initializer = `window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  queryConfigEnabled: false,
});
`;

/** By name. */
export const docsFiles: ReadonlyMap<string, DocsFile> = new Map([
  fromPackage('swagger-ui.css', 'text/css; charset=utf-8'),
  fromPackage('swagger-ui-bundle.js', 'text/javascript; charset=utf-8'),
  fromPackage('favicon-32x32.png', 'image/png'),
  ['initializer.js', { type: 'text/javascript; charset=utf-8', content: async () => Buffer.from(initializer) }],
]);

/** Addresses are relative to `/docs`, so that the page also works behind a proxy that puts us below a path. */
export const docsPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Taskkeeper</title>
<link rel="stylesheet" href="docs/swagger-ui.css">
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/initializer.js"></script>
</body>
</html>
`;

/** Only what we serve ourselves; images of the stylesheet are inside of it. */
export const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
