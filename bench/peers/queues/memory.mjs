// No queue at all: what was submitted is done in the next turn of the front's event loop. The ceiling of the harness itself.

export async function openQueue() {
  const done = new Map();
  let count = 0;
  const submit = (payload) => {
    count += 1;
    const id = String(count);
    setImmediate(() => done.set(id, payload));
    return id;
  };
  return {
    submit: async (payload) => submit(payload),
    submitMany: async (payloads) => payloads.map(submit),
    result: async (id) => (done.has(id) ? { state: 'succeeded', result: done.get(id) } : { state: 'queued' }),
    countSucceeded: async () => done.size,
  };
}

export async function startWorker() {
  // There is nothing to take.
}
