// The table of everything that the HTTP face answers: the document and the routes are made of it.

import type { Operation } from './operation.ts';
import { getDocs, getDocsFile } from './operations/docs.ts';
import { watchEvents, watchTask } from './operations/events.ts';
import { explainTask } from './operations/explain.ts';
import { getQueue, getStats, listQueues, listWorkers, updateQueue } from './operations/fleet.ts';
import {
  deleteSchedule,
  getSchedule,
  listSchedules,
  pauseSchedule,
  putSchedule,
  resumeSchedule,
  runSchedule,
} from './operations/schedules.ts';
import { getLiveness, getMetrics, getOpenApi, getReadiness } from './operations/service.ts';
import { retryTask, submitTask, submitTasks } from './operations/submits.ts';
import { cancelTask, deleteTask, getTask, listTasks } from './operations/tasks.ts';

/** An address without parameters comes before one that would fit it too. */
export const operations: readonly Operation[] = [
  submitTask,
  listTasks,
  submitTasks,
  getTask,
  deleteTask,
  cancelTask,
  retryTask,
  explainTask,
  watchTask,
  watchEvents,
  listSchedules,
  putSchedule,
  getSchedule,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
  runSchedule,
  listWorkers,
  listQueues,
  getQueue,
  updateQueue,
  getStats,
  getLiveness,
  getReadiness,
  getMetrics,
  getOpenApi,
  getDocs,
  getDocsFile,
];
