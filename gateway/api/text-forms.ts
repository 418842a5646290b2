// What the texts of a request may look like: as a pattern for the checks and the OpenAPI document, and in words for whoever
// sent one that does not fit.

import { limits } from '../../domain/limits.ts';

/** The words follow "must be". */
interface TextForm {
  readonly pattern: string;
  readonly words: string;
}

const nameWords = '1 to 64 of A-Z a-z 0-9 . _ -';
const labelKeyWords = '1 to 64 of A-Z a-z 0-9 . _ / -';
const labelValueMax = limits.labelValueCharactersMax;

export const textForms = {
  name: { pattern: limits.namePattern, words: nameWords },
  /** `.` and `..` name no znode. */
  znodeName: {
    pattern: limits.namePattern.replace('^', '^(?!\\.{1,2}$)'),
    words: `${nameWords}, and neither . nor ..`,
  },
  labelKey: { pattern: limits.labelKeyPattern, words: labelKeyWords },
  label: {
    pattern: limits.labelKeyPattern.replace('$', `:[\\s\\S]{0,${labelValueMax}}$`),
    words: `key:value, the key ${labelKeyWords}, the value up to ${labelValueMax} characters`,
  },
  exclusiveKey: printable(limits.exclusiveKeyCharactersMax),
  idempotencyKey: printable(limits.idempotencyKeyCharactersMax),
  taskId: { pattern: '^task-\\d{1,32}$', words: 'the id of a task, such as task-0000000042' },
  wait: {
    pattern: '^\\d+(\\.\\d+)?(ms|s|m)?$',
    words: 'seconds, or a number with ms, s or m, such as 10s',
  },
  cursor: { pattern: '^[A-Za-z0-9_-]{1,64}$', words: 'the nextCursor of the page before' },
} satisfies Record<string, TextForm>;

const wordsByPattern = new Map(Object.values<TextForm>(textForms).map(({ pattern, words }) => [pattern, words]));

/** Undefined: it is the pattern of no text that clients send. */
export function wordsOf(pattern: string): string | undefined {
  return wordsByPattern.get(pattern);
}

function printable(charactersMax: number): TextForm {
  return { pattern: `^[ -~]{1,${charactersMax}}$`, words: `1 to ${charactersMax} printable ASCII characters` };
}
