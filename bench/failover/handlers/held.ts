// A task that says that it runs, and then runs until it is ended: a handler of a user, in a thread of its own.

interface Context {
  readonly signal: AbortSignal;
  progress(percent: number, message: string): void;
}

export default async function held(_payload: unknown, { signal, progress }: Context): Promise<never> {
  progress(0, 'running');
  return await new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
