// Goal: a new leader waits for the tasks that were there unread, for those alone, and looks at no others for that: they may be a
// hundred thousand, and the first assignment stands behind it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TaskIndex } from '../../../domain/task-index.ts';
import { UnfinishedRuns } from '../../../services/master/unfinished-runs.ts';
import { addTask, taskFact, taskId } from '../domain/facts.ts';

test('what was there unread is waited for; what was read, and what may not be read, is not even looked at', () => {
  const index = new TaskIndex();
  addTask(index, 1);
  index.setTask(taskId(2), 'unread');
  index.setForbidden(taskId(3));
  const walk = () => assert.fail('it walks over all tasks');
  Object.defineProperties(index.tasks, { [Symbol.iterator]: { value: walk }, values: { value: walk } });
  const runs = new UnfinishedRuns(index);
  assert.equal(runs.isComplete(), false);
  index.setTask(taskId(4), 'unread'); // made in this term
  index.setTask(taskId(2), taskFact(2));
  assert.equal(runs.isComplete(), true);
});
