// `npm run bench`, `npm run audit` and the like: builds, then hands over to the program in this same process.

import { build } from './build.mjs';

const [program] = process.argv.splice(2, 1);
build();
await import(`../dist/${program}`);
