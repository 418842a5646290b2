// A reader of server-sent events for tests.

import assert from 'node:assert/strict';

export interface ReceivedEvent {
  readonly event: string;
  readonly id?: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of it, the test says
  readonly data: any;
}

export interface EventStream {
  readonly status: number;
  readonly headers: Headers;
  /** Null: the stream has ended in good order. */
  next(): Promise<ReceivedEvent | null>;
  /** Until everything received so far fits. */
  untilText(pattern: RegExp): Promise<void>;
  /** What has been received, as an answer. */
  seen(): { headers: Record<string, string>; body: string };
  close(): void;
}

export async function openEventStream(url: string, lastEventId?: string): Promise<EventStream> {
  const abort = new AbortController();
  const headers = lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId };
  const response = await fetch(url, { headers, signal: abort.signal });
  assert.ok(response.body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let all = '';
  let rest = '';
  const more = async (): Promise<boolean> => {
    const { value = '', done } = await reader.read();
    all += value;
    rest += value;
    return !done;
  };
  const next = async (): Promise<ReceivedEvent | null> => {
    for (;;) {
      const end = rest.indexOf('\n\n');
      if (end < 0 && !(await more())) return null;
      if (end < 0) continue;
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      if (block !== ':') return eventOf(block);
    }
  };
  return {
    status: response.status,
    headers: response.headers,
    next,
    untilText: async (pattern) => {
      while (!pattern.test(all)) assert.ok(await more(), all);
    },
    seen: () => ({ headers: Object.fromEntries(response.headers), body: all }),
    close: () => abort.abort(),
  };
}

function eventOf(block: string): ReceivedEvent {
  const fields = block.split('\n').map((line) => /^(event|id|data): (.*)$/s.exec(line) ?? assert.fail(block));
  const { event = '', id, data = '' } = Object.fromEntries(fields.map(([, name, value]) => [name, value]));
  return { event, ...(id !== undefined && { id }), data: JSON.parse(data) };
}
