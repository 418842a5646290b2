// What is aimed at, each a ratio of two figures of the same repetition, so that what the machine did meanwhile hit both.

/** `of` is ours; `to` the system it is compared with, or null where both figures are ours. */
export const aims = [
  { text: 'W1, to BullMQ with appendfsync always', work: 'W1', figure: 'rate', to: 'bullmq-durable', atLeast: 1.25 },
  { text: 'W1, to BullMQ without persistence', work: 'W1', figure: 'rate', to: 'bullmq', atLeast: 1 },
  { text: 'W1, to a front without any queue', work: 'W1', figure: 'rate', to: 'memory', atLeast: 0.6 },
  {
    text: 'W2 one at a time, median, to BullMQ with appendfsync always',
    work: 'W2 one at a time',
    figure: 'p50',
    to: 'bullmq-durable',
    atMost: 1,
  },
  {
    text: 'W2 sixteen at a time, to BullMQ with appendfsync always',
    work: 'W2 sixteen at a time',
    figure: 'rate',
    to: 'bullmq-durable',
    atLeast: 1.3,
  },
  { text: 'W2 one at a time, p99 to the median', work: 'W2 one at a time', figure: 'p99', to: null, atMost: 4 },
  { text: 'W2 sixteen at a time, p99 to the median', work: 'W2 sixteen at a time', figure: 'p99', to: null, atMost: 4 },
  { text: 'W3, to BullMQ with appendfsync always', work: 'W3', figure: 'rate', to: 'bullmq-durable', atLeast: 1.5 },
];

/** One a repetition, as those of `values(system, work, figure)`, in their order. None where something was not measured. */
export function ratiosOf(aim, values) {
  const ours = values('ours', aim.work, aim.figure);
  const other = aim.to ? values(aim.to, aim.work, aim.figure) : values('ours', aim.work, 'p50');
  return ours.length === other.length ? ours.map((value, i) => value / other[i]) : [];
}
