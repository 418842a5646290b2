// The layers of docs/ARCHITECTURE.md as a pure function: which file may import what, and what must not appear in `domain`.
// test/unit/layers.test.ts applies it to the real sources and to made-up violations.

import { posix } from 'node:path';

export interface SourceFile {
  /** From the root of the project, with `/`. */
  readonly path: string;
  readonly text: string;
}

/** What each layer may import besides itself. The three tops never import each other. */
const below: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  runtime: ['domain'],
  coordination: ['runtime', 'domain'],
  gateway: ['coordination', 'runtime', 'domain'],
  'services/master': ['coordination', 'runtime', 'domain'],
  'services/worker': ['coordination', 'runtime', 'domain'],
  audit: ['coordination', 'runtime', 'domain'],
  scripts: ['runtime', 'domain'],
  bench: ['test', 'scripts', 'coordination', 'runtime', 'domain'],
  chaos: ['audit', 'test', 'scripts', 'coordination', 'runtime', 'domain'],
  // Whatever is tested; nothing but benchmarks and chaos, which start the same processes, imports from it.
  test: [
    ...['bench', 'chaos', 'audit', 'scripts'],
    ...['gateway', 'services/master', 'services/worker', 'coordination', 'runtime', 'domain'],
  ],
};

const zookeeperClient = 'node-zookeeper-client';

const impure: Readonly<Record<string, RegExp>> = {
  'the clock': /\bDate\.now\b|\bnew Date\(\s*\)|\bDate\(\s*\)|\bperformance\b/,
  randomness: /\bMath\.random\b|\bcrypto\b/,
  timers: /\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/,
  promises: /\basync\b|\bawait\b|\bPromise\b/,
  'the process': /\bprocess\b|\bglobalThis\b|\bconsole\b|\bfetch\b/,
};

/** One line for each violation; none where all is well. */
export function layerViolations(files: readonly SourceFile[]): string[] {
  const importers = files.filter((file) => importsOf(file.text).includes(zookeeperClient)).map((file) => file.path);
  return [
    ...files.flatMap((file) => importViolations(file)),
    ...files.filter((file) => layerOf(file.path) === 'domain').flatMap((file) => impurities(file)),
    ...importers.filter((path) => layerOf(path) !== 'coordination').map((path) => `${path} imports ${zookeeperClient}`),
    ...(importers.length > 1
      ? [`${zookeeperClient} is imported in ${importers.length} files: ${importers.join(', ')}`]
      : []),
  ];
}

function importViolations({ path, text }: SourceFile): string[] {
  const layer = layerOf(path);
  if (layer === null) return [`${path} belongs to no layer`];
  return importsOf(text).flatMap((specifier) => {
    if (!specifier.startsWith('.')) return layer === 'domain' ? [`${path} imports ${specifier}`] : [];
    const target = posix.join(posix.dirname(path), specifier);
    const targetLayer = layerOf(target);
    const allowed = targetLayer === layer || (targetLayer !== null && below[layer]?.includes(targetLayer));
    return allowed ? [] : [`${path} imports ${target}`];
  });
}

function layerOf(path: string): string | null {
  return Object.keys(below).find((layer) => path.startsWith(`${layer}/`)) ?? null;
}

function impurities({ path, text }: SourceFile): string[] {
  const code = withoutComments(text).replace(/'(?:\\.|[^'\\\n])*'/g, "''");
  return Object.entries(impure)
    .filter(([, pattern]) => pattern.test(code))
    .map(([what, pattern]) => `${path} uses ${what}: ${pattern.exec(code)?.[0]}`);
}

/** Every way to depend on a file: static, for types only, dynamic, `require`, and by URL (worker threads, processes). */
export function importsOf(text: string): string[] {
  const code = withoutComments(text);
  const forms = [
    /\b(?:import|export)\s[^'";]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\b(?:import|require)\s*\(\s*['"]([^'"]+)['"]/g,
    /\bnew URL\(\s*['"](\.[^'"]+\.[jt]s)['"]\s*,\s*import\.meta\.url/g,
  ];
  return forms.flatMap((form) => [...code.matchAll(form)].map((match) => match[1] ?? ''));
}

/** Strings are matched too, and kept, so that a `//` inside one is not taken for a comment. */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (match) => (match.startsWith('//') || match.startsWith('/*') ? ' ' : match),
  );
}
