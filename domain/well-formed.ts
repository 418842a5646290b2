// JSON can say what UTF-8 cannot: `"\ud800"` is half of a surrogate pair. Text that others have stored may have some, and none
// comes from cutting.

const halves = /\p{Surrogate}/gu;

/** Halves of surrogate pairs replaced by U+FFFD. */
export function wellFormed(text: string): string {
  return text.replaceAll(halves, '\ufffd');
}

/** At most so many characters, and never half of a surrogate pair at the end. */
export function cutText(text: string, charactersMax: number): string {
  return text.length <= charactersMax ? text : text.slice(0, charactersMax).replace(/[\uD800-\uDBFF]$/, '');
}
