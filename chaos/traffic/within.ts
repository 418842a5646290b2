// Work with a signal that ends it: when its time is up, or when something larger ends. (Node 20 may collect an AbortSignal.any of an
// AbortSignal.timeout before it fires.)

export async function within<T>(
  timeoutMs: number,
  larger: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const end = () => controller.abort();
  const timer = setTimeout(end, timeoutMs);
  larger.addEventListener('abort', end, { once: true });
  if (larger.aborted) end();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    larger.removeEventListener('abort', end);
  }
}
