// The reading page of the document, and the files that it is made of. All of them are ours to serve: nothing is loaded from
// elsewhere, and the page's policy forbids it.

import { ServiceError } from '../../../domain/errors.ts';
import { docsFiles, docsPage, docsPolicy } from '../docs-page.ts';
import { sendText } from '../json-answer.ts';
import { operation } from '../operation.ts';
import { pathParameter } from '../parameters.ts';

export const getDocs = operation({
  operationId: 'getDocs',
  method: 'get',
  path: '/docs',
  tag: 'service',
  summary: 'This document, to read and to try',
  answers: { 200: { description: 'A page.', content: { 'text/html': { type: 'string' } } } },
  compressed: true,
  example: { path: '/docs', status: 200, answer: '<!doctype html>' },
  handle: () => (_request, response) => {
    sendText(response, 200, 'text/html; charset=utf-8', docsPage, { 'Content-Security-Policy': docsPolicy });
  },
});

const names = [...docsFiles.keys()];

const file = pathParameter(
  { name: 'file', description: 'Its name.', schema: { type: 'string', enum: names } },
  (name) => {
    const found = docsFiles.get(name);
    if (found) return found;
    throw new ServiceError('route-not-found', `The page has no such file; there is ${names.join(', ')}.`);
  },
);

export const getDocsFile = operation({
  operationId: 'getDocsFile',
  method: 'get',
  path: '/docs/{file}',
  tag: 'service',
  summary: 'A file of the page',
  parameters: { file },
  answers: {
    200: {
      description: 'It.',
      content: {
        'text/css': { type: 'string' },
        'text/javascript': { type: 'string' },
        'image/png': { type: 'string', contentMediaType: 'image/png' },
      },
    },
  },
  problems: ['route-not-found'],
  compressed: true,
  example: { path: '/docs/initializer.js', status: 200 },
  handle:
    () =>
    async ({ parameters }, response) => {
      const { plain, gzip } = await parameters.file.content();
      const isCompressed = gzip !== null && response.req.acceptsEncodings('gzip', 'identity') === 'gzip';
      sendText(response, 200, parameters.file.type, isCompressed ? gzip : plain, {
        ...(isCompressed && { 'Content-Encoding': 'gzip' }),
        'Cache-Control': 'public, max-age=3600',
      });
    },
});
