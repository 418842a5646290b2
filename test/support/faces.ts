// The two faces as one interface, for tests that do the same through both and compare what they are told. Answers come in
// the words of the JSON resource, refusals as reason and places. http-face.ts and grpc-face.ts make one each, from its
// description alone, as a user would.

// biome-ignore lint/suspicious/noExplicitAny: answers are compared whole, and looked at field by field
export type Answer = any;

export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'refusal'; readonly reason: string; readonly places: readonly string[]; readonly retry: boolean };

export interface Face {
  readonly name: 'HTTP' | 'gRPC';
  /** `{task, created}` */
  submit(spec: object, options?: { readonly key?: string; readonly waitMs?: number }): Promise<Outcome>;
  /** `{tasks, created}` */
  submitMany(specs: readonly object[], key?: string): Promise<Outcome>;
  /** The task, as for the next one. */
  get(id: string, waitMs?: number): Promise<Outcome>;
  /** The explanation. */
  explain(id: string): Promise<Outcome>;
  cancel(id: string, reason?: string): Promise<Outcome>;
  /** `{task, created}` */
  retry(id: string, key?: string): Promise<Outcome>;
  remove(id: string): Promise<Outcome>;
  /** `{tasks, nextCursor?}` */
  list(query: ListQuery): Promise<Outcome>;
  workers(): Promise<Outcome>;
  queues(): Promise<Outcome>;
  /** `{name}` and its settings, as for the next one. */
  queue(name: string): Promise<Outcome>;
  updateQueue(name: string, change: object): Promise<Outcome>;
  stats(): Promise<Outcome>;
  /** `{schedule, created}` */
  putSchedule(name: string, definition: object): Promise<Outcome>;
  /** `{schedules, nextCursor?}` */
  schedules(cursor?: string): Promise<Outcome>;
  /** The schedule, as for the next one; nothing for `delete`. */
  schedule(verb: 'get' | 'delete', name: string): Promise<Outcome>;
  setPaused(name: string, paused: boolean): Promise<Outcome>;
  /** `{task, created}` */
  runSchedule(name: string, key?: string): Promise<Outcome>;
  /** Every change of the task until the stream ends; each `{eventId, task}` or `{reset}`. */
  watchTask(id: string, lastEventId?: string): Promise<Outcome>;
  /** Changes of all tasks until `enough` is true of those seen; each `{eventId, event}` or `{reset}`. */
  watchEvents(enough: (seen: readonly Answer[]) => boolean, options?: WatchOptions): Promise<Outcome>;
}

export interface WatchOptions {
  readonly lastEventId?: string | undefined;
  /** Nothing that happens from now on is missed. */
  readonly onOpen?: () => void;
}

export interface ListQuery {
  readonly state?: string;
  readonly type?: string;
  readonly queue?: string;
  readonly worker?: string;
  readonly schedule?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly limit?: number;
  readonly cursor?: string;
}

export function answerOf(outcome: Outcome): Answer {
  if (outcome.kind === 'answer') return outcome.answer;
  throw new Error(`refused: ${JSON.stringify(outcome)}`);
}
