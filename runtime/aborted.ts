// An AbortSignal as something to wait for.

/** Resolves when `signal` aborts, at once where it has; never rejects. For signals that end together with the wait. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true });
    if (signal.aborted) resolve();
  });
}
