// Queues that let few tasks run at a time, so that there is a line in which priorities matter; one of them is soon full, so that submits are refused.
// Their limits are set while the traffic goes on and never changed, and lifted for its end.

export interface LineQueue {
  readonly name: string;
  readonly concurrency: number;
  readonly maxQueued: number | null;
}

export const lineQueues: readonly LineQueue[] = [
  { name: 'line-1', concurrency: 1, maxQueued: null },
  { name: 'line-2', concurrency: 2, maxQueued: 20 },
];
