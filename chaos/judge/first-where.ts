// Binary search. Pure.

/** The first place for which it is so, and for all after it; `length` where there is none. */
export function firstWhere(length: number, isSo: (place: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isSo(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
