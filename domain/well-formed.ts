// JSON can say what UTF-8 cannot: `"\ud800"` is half of a surrogate pair. Text that others have stored may have some.

const halves = /\p{Surrogate}/gu;

/** Halves of surrogate pairs replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replaceAll(halves, '\ufffd');
}
