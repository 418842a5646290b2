// Queues that let few tasks run at a time, so that there is a line in which priorities matter. Their limits are set while the traffic goes
// on and never changed, and lifted for its end.

export interface LineQueue {
  readonly name: string;
  readonly concurrency: number;
}

export const lineQueues: readonly LineQueue[] = [
  { name: 'line-1', concurrency: 1 },
  { name: 'line-2', concurrency: 2 },
];
