// The part of docs/task-life.md that is made of the table of transitions: a diagram that GitHub draws, and the table.

import { finalStates } from '../../domain/task.ts';
import { type Transition, transitions } from '../../domain/task-transitions.ts';

const start = '<!-- From domain/task-transitions.ts: WRITE_TASK_LIFE=1 npm test -- task-life-page writes it. -->\n';
const end = '<!-- The end of what is written by itself. -->\n';

/** `page` with its generated part as it should be. */
export function withLife(page: string): string {
  const [before, rest] = page.split(start);
  const after = rest?.split(end)[1];
  if (before === undefined || after === undefined) throw new Error('the page has lost its marks of the generated part');
  return `${before}${start}\n${diagram()}\n${table()}\n${end}${after}`;
}

/** One arrow from each state to each, with all events that lead along it. */
function diagram(): string {
  const arrows = new Map<string, string[]>();
  for (const { from, event, to } of transitions) {
    const arrow = `${from ?? '[*]'} --> ${to}`;
    arrows.set(arrow, [...(arrows.get(arrow) ?? []), event]);
  }
  const lines = [...arrows].map(([arrow, events]) => `${arrow}: ${events.join(', ')}`);
  const ends = finalStates.map((state) => `${state} --> [*]`);
  return ['```mermaid', 'stateDiagram-v2', ...[...lines, ...ends].map((line) => `    ${line}`), '```', ''].join('\n');
}

function table(): string {
  const head = '| from | event | to | by | leaves in the tree | when |\n|---|---|---|---|---|---|\n';
  return head + transitions.map(line).join('');
}

function line({ from, event, to, by, leaves, when }: Transition): string {
  const traces = leaves.map((trace) => `\`${trace}\``).join(', ');
  return `| ${from ?? ''} | \`${event}\` | ${to} | ${by.join(' or ')} | ${traces || 'nothing'} | ${when} |\n`;
}
