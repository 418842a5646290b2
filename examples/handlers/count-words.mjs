// A handler of your own: the file's name is the task type, the default export runs each task, in a thread of its own.
// Started with `HANDLERS_DIR=examples/handlers npm start`.

export default async function countWords(payload, { taskId, attempt, signal, progress }) {
  if (typeof payload?.text !== 'string') {
    // Another attempt would fail the same way.
    throw Object.assign(new Error('the payload needs a "text"'), { retryable: false });
  }
  progress(50, `counting for ${taskId}, attempt ${attempt}`);
  signal.throwIfAborted(); // cancelled, timed out, or the worker is stopping
  return { words: payload.text.split(/\s+/).filter(Boolean).length };
}
