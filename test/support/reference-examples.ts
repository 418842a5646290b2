// The examples of docs/api.md: fenced blocks that are requests, each with the answer that follows it. Reads them out of the
// text and writes answers into it.

export interface Example {
  readonly kind: 'http' | 'grpc';
  readonly request: string;
  /** Null where the text has none yet. */
  readonly answer: string | null;
}

const block = /```(http|grpc)\n(?!HTTP\/)([\s\S]*?)\n```(?:\n\n```(http|json)\n((?:HTTP\/|\{)[\s\S]*?)\n```)?/g;

export function examplesOf(markdown: string): Example[] {
  return [...markdown.matchAll(block)].map(([, kind, request = '', , answer]) => ({
    kind: kind as Example['kind'],
    request,
    answer: answer ?? null,
  }));
}

export function withAnswers(markdown: string, answers: readonly string[]): string {
  let next = 0;
  return markdown.replaceAll(block, (_, kind: string, request: string) => {
    const answer = answers[next];
    next += 1;
    return `\`\`\`${kind}\n${request}\n\`\`\`\n\n\`\`\`${kind === 'http' ? 'http' : 'json'}\n${answer}\n\`\`\``;
  });
}

/** What differs from run to run made the same: times, ports, tags, ids of events, cursors, ages. */
export function steady(answer: string): string {
  return answer
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
    .replaceAll(/127\.0\.0\.1:\d+/g, '<address>')
    .replaceAll(/ETag: "[^"]*"/gi, 'ETag: <tag>')
    .replaceAll(/"?(eventId|id)(": "|: )[0-9a-f]+-\d+"?$/gm, '$1 <event>')
    .replaceAll(/("eventId": ")[0-9a-f]+-\d+"/g, '$1<event>"')
    .replaceAll(/("nextCursor": ")[^"]+"/g, '$1<cursor>"')
    .replaceAll(/("oldestQueuedMs": )"?\d+"?/g, '$1<age>');
}

/** JSON in lines that can be read: what fits into one stays in one. */
export function readable(value: unknown, indent = ''): string {
  const inline = JSON.stringify(value, null, 1)
    .replaceAll(/\n\s*/g, ' ')
    .replaceAll(/([[{]) | ([\]}])/g, '$1$2');
  if (inline.length + indent.length <= 120 || typeof value !== 'object' || value === null) return inline;
  const deeper = `${indent}  `;
  const items = Array.isArray(value)
    ? value.map((item) => deeper + readable(item, deeper))
    : Object.entries(value).map(([key, item]) => `${deeper}${JSON.stringify(key)}: ${readable(item, deeper)}`);
  const [open, close] = Array.isArray(value) ? '[]' : '{}';
  return `${open}\n${items.join(',\n')}\n${indent}${close}`;
}
