// Renders a line of a service's JSON log for a person's terminal: time, process, level where it matters, message, and the
// remaining fields. Pure. The whole line, with its stack traces, is in the log file.

const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};
const valueCharactersMax = 200;

/** What is no JSON object (a stack trace on stderr, say) is shown as it is. */
export function renderLogLine(processName: string, line: string): string {
  const record = parseObject(line);
  if (!record) return `${' '.repeat(8)} ${processName.padEnd(9)} ${line}`;
  const { level, time, process: _process, msg, err, ...fields } = record;
  const parts = [
    String(time).slice(11, 19).padEnd(8),
    processName.padEnd(9),
    levelNames[Number(level)] ?? '',
    String(msg ?? ''),
    errorMessage(err),
    ...Object.entries(fields).map(([key, value]) => `${key}=${shorten(value)}`),
  ];
  return parts.filter((part) => part !== '').join(' ');
}

function errorMessage(err: unknown): string {
  if (typeof err !== 'object' || err === null || !('message' in err)) return '';
  return `(${shorten(err.message)})`;
}

function shorten(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > valueCharactersMax ? `${text.slice(0, valueCharactersMax)}...` : text;
}

function parseObject(line: string): Record<string, unknown> | null {
  try {
    return line.startsWith('{') ? JSON.parse(line) : null;
  } catch {
    return null;
  }
}
