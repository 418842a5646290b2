// Answers with tasks in them, encoded so that they fit what clients receive. As protobuf a task can be over five times as
// large as its JSON (a number of one digit is eleven bytes in a list), so only the encoded bytes tell. Each task is
// encoded once, as an answer that has only that task: encoded messages that follow each other are one message, in which a
// repeated field has what both have (https://protobuf.dev/programming-guides/encoding/#last-one-wins).

import type { PackageDefinition } from '@grpc/proto-loader';
import type { TaskView } from '../../domain/task-view.ts';
import type { SubmittedTasks } from '../api/task-api.ts';
import type { AnswerSize, TaskPage } from '../api/task-listing.ts';
import { serverLimits } from '../server-limits.ts';
import { type Encode, encoderOf } from './grpc-protocol.ts';
import { taskMessage, taskSummary } from './grpc-task.ts';

/** Room for what an answer has beside its tasks. */
const restBytesMax = 1024;
/** Of what a list has in it. */
export const listBytesMax = serverLimits.grpcSendBytesMax - restBytesMax;

type AnswerWithTask = 'SubmitTask' | 'GetTask' | 'WatchTask' | 'CancelTask' | 'RetryTask' | 'RunSchedule';

/** `rest` is what the answer has beside its task. */
export type TaskAnswer = (method: AnswerWithTask, task: TaskView, rest?: object) => Buffer;

/** The task without what may be large, where the whole is too large: only one made by hand is. */
export function taskAnswers(protocol: PackageDefinition): TaskAnswer {
  const encoders = new Map<AnswerWithTask, Encode>();
  return (method, task, rest = {}) => {
    const encode = encoders.get(method) ?? encoderOf(protocol, `${method}Response`);
    encoders.set(method, encode);
    const whole = encode({ task: taskMessage(task), ...rest });
    return whole.length <= serverLimits.grpcSendBytesMax ? whole : encode({ task: taskSummary(task), ...rest });
  };
}

/** One list: `size` for making the page, and the answer from it. */
export interface ListAnswer {
  readonly size: AnswerSize;
  of(page: TaskPage): Buffer;
}

export function listAnswers(protocol: PackageDefinition): () => ListAnswer {
  const encode = encoderOf(protocol, 'ListTasksResponse');
  return () => {
    const encoded = new Map<TaskView, Buffer>();
    const sizeOf = (task: TaskView): number => {
      const bytes = encodeAlone(encode, task);
      encoded.set(task, bytes);
      return bytes.length;
    };
    return {
      size: { of: sizeOf, max: listBytesMax },
      of: ({ tasks, nextCursor }) =>
        Buffer.concat([
          ...tasks.map((task) => encoded.get(task) ?? encodeAlone(encode, task)),
          encode({ next_cursor: nextCursor }),
        ]),
    };
  };
}

/** All tasks of the batch whole, or, where that is too large, all without what may be large. */
export function batchAnswers(protocol: PackageDefinition): (batch: SubmittedTasks) => Promise<Buffer> {
  const encode = encoderOf(protocol, 'SubmitTasksResponse');
  return async ({ tasks, created }) => {
    let whole: Buffer[] | null = [];
    let bytes = 0;
    const summaries: object[] = [];
    for await (const task of tasks) {
      summaries.push(taskSummary(task));
      const alone = whole && encode({ tasks: [taskMessage(task)] });
      bytes += alone?.length ?? 0;
      if (bytes > listBytesMax) whole = null;
      else if (alone) whole?.push(alone);
    }
    return whole ? Buffer.concat([...whole, encode({ created })]) : encode({ tasks: summaries, created });
  };
}

function encodeAlone(encode: Encode, task: TaskView): Buffer {
  const whole = encode({ tasks: [taskMessage(task)] });
  return whole.length <= listBytesMax ? whole : encode({ tasks: [taskSummary(task)] });
}
