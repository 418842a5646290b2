// `npm start`: builds, then hands over to scripts/start.ts in this same process.

import { build } from './build.mjs';

build();
await import('../dist/scripts/start.js');
