// `npm run bench`: builds, then hands over to bench/main.ts in this same process.

import { build } from './build.mjs';

build();
await import('../dist/bench/main.js');
