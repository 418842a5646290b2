// The reading page: swagger-ui from our own packages, without its index page and its initializer, which would show
// another's document and load things from outside.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

export interface DocsContent {
  readonly plain: Buffer;
  /** Null where it would not be smaller. */
  readonly gzip: Buffer | null;
}

interface DocsFile {
  readonly type: string;
  readonly content: () => Promise<DocsContent>;
}

const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

function fromPackage(name: string, type: string): [string, DocsFile] {
  return [name, { type, content: readOnce(() => readFile(join(folder, name))) }];
}

/** Read and compressed at the first request and kept: to do it for each would take a good part of a core from all others. */
function readOnce(read: () => Promise<Buffer>): DocsFile['content'] {
  let kept: Promise<DocsContent> | null = null;
  return () => {
    kept ??= compressedContent(read).catch((error: unknown) => {
      kept = null;
      throw error;
    });
    return kept;
  };
}

async function compressedContent(read: () => Promise<Buffer>): Promise<DocsContent> {
  const plain = await read();
  const compressed = await promisify(gzip)(plain);
  return { plain, gzip: compressed.length < plain.length ? compressed : null };
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
  [
    'initializer.js',
    { type: 'text/javascript; charset=utf-8', content: readOnce(async () => Buffer.from(initializer)) },
  ],
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
