// Every limit of the system, with its unit in its name (contract sections 2, 3 and 6). A queue, batch, wait, body or
// connection without a line here is a bug.

const KiB = 1024;
const second = 1000;
const day = 24 * 3600 * second;

export const limits = {
  /** `type` and `queue`: 1 to 64 of these. */
  namePattern: '^[A-Za-z0-9._-]{1,64}$',
  labelsMax: 16,
  labelKeyPattern: '^[A-Za-z0-9._/-]{1,64}$',
  labelValueCharactersMax: 256,
  priorityMin: -100,
  priorityMax: 100,
  payloadBytesMax: 256 * KiB,
  resultBytesMax: 256 * KiB,
  requestBodyBytesMax: 1024 * KiB,
  batchTasksMax: 1000,
  /** A batch as stored: it is one transaction, which has to fit into one packet. */
  batchBytesMax: 900 * KiB,
  cancelReasonCharactersMax: 1024,
  listLimitDefault: 50,
  listLimitMax: 500,
  /** Tasks of one list that are read at a time: each may be half a megabyte. */
  listReadsAtOnce: 32,
  /** Tasks that a master looks at for one request, so that a filter which nothing fits does not hold it up. */
  listScanMax: 20_000,
  /** Places in line that are counted to say how many tasks go first; in a longer line that is not said. */
  lineScanMax: 20_000,
  /** A list's answer has no more tasks than fit into this, as JSON; the first one always fits. */
  listBytesMax: 2048 * KiB,
  /** Queues with settings of their own. */
  queuesMax: 1000,
  queueConcurrencyMax: 100_000,
  queueRatePerSecondMin: 0.001,
  queueRatePerSecondMax: 100_000,
  queueBurstMax: 100_000,
  queueMaxQueuedMax: 10_000_000,
  schedulesMax: 1000,
  /** A schedule as stored, its task with it. */
  scheduleBytesMax: 64 * KiB,
  cronCharactersMax: 256,
  scheduleEveryMsMin: 1 * second,
  scheduleEveryMsMax: 365 * day,
  scheduleCatchUpMax: 100,
  scheduleCatchUpDefault: 1,
  /** With so many unfinished tasks of a schedule its ticks make no more. */
  scheduleUnfinishedMax: 1000,
  /** A tick that is handled later than this was missed: whether it is made up is for the schedule to say. */
  tickLateMsMax: 1 * second,
  /** Missed ticks of a cron expression are counted so far at a time: after an outage the leader has many to ask, and to do. */
  scheduleMissedCountMax: 100,
  /** Queues in one answer; those with settings come first. */
  queuesListedMax: 10_000,
  /** Queues that `/backlog` names: it has to fit into one packet. */
  backlogQueuesMax: 1000,
  /** Events that a master, and a gateway, keeps for those who resume. */
  eventsKept: 10_000,
  /** To the admin endpoint of one process: the event streams, and as many again for everything else. */
  adminConnectionsMax: 512,
  /** A request line with headers: sixteen labels in the query of a list, each character as nine. */
  adminHeadersBytesMax: 64 * KiB,
  /** A request to the admin endpoint has arrived by then, or its connection is closed. */
  adminRequestMs: 10 * second,
  /** A connection to the admin endpoint that nobody uses is closed after that. */
  adminIdleMs: 30 * second,
  /** Tasks whose time has come that a master looks at in one go: events of more at once than it keeps would reach nobody. */
  alarmsAtOnce: 1000,
  /** Gateways, mostly one stream each, that may listen to one master. */
  masterEventStreamsMax: 256,
  /** Lines that a stream is given at a time: the next ones when its reader has taken those. */
  masterEventLinesAtOnce: 500,
  /** Those who may be told all that a master knows at a time, and lines that one of them is told in one go. */
  masterPicturesMax: 4,
  masterPictureLinesAtOnce: 200,
  /** One of them who takes nothing for as long as this is told no more: others wait for the place, and what is told is kept for it. */
  masterPictureStallMs: 10 * second,
  /** A line in a master's stream of events, when nothing else was sent. */
  masterAliveMs: 5 * second,
  /** A comment line in a stream of events, when nothing else was sent. */
  eventHeartbeatMs: 15 * second,
  /**
   * Arrays and objects inside each other in a payload or result. Protobuf readers commonly stop at 100 nested messages,
   * and one level of a google.protobuf.Value costs up to three of them.
   */
  jsonDepthMax: 32,
  timeoutMsMin: 1,
  timeoutMsMax: 7 * day,
  timeoutMsDefault: 3600 * second,
  retentionMsMax: 30 * day,
  retentionMsDefault: 3600 * second,
  attemptsMax: 100,
  attemptsDefault: 3,
  delayMsMax: 365 * day,
  deadlineMsMin: 1,
  deadlineMsMax: 365 * day,
  /** Printable ASCII. */
  exclusiveKeyCharactersMax: 255,
  /** Tasks that one task may come after. */
  dependenciesMax: 100,
  /** Tasks outside of a batch that its members may come after, all together: each is a condition of the one transaction. */
  batchDependenciesMax: 1000,
  backoffDelayMsDefault: 1 * second,
  /** No retry waits longer, whatever its backoff says. */
  backoffDelayMsMax: 7 * day,
  idempotencyKeyCharactersMax: 255,
  waitMsMax: 60 * second,
  waitsMaxDefault: 10_000,
  unfinishedTasksMaxDefault: 100_000,
  finishedTasksMaxDefault: 100_000,
  minRetentionMsDefault: 60 * second,
  /** No task is accepted once the sequence of `/tasks` has come this far; it ends at 2147483647. */
  taskNumberMax: 2_147_000_000,
  shellOutputBytesMax: 64 * KiB,
  /** SIGTERM to the process group, then this long until SIGKILL. */
  shellTermGraceMs: 2 * second,
  /** A worker ends a run at its timeout by itself; where it has not by then, the master withdraws it. */
  timeoutGraceMs: 5 * second,
  /** A withdrawn run has this long to end before the master takes the task away by force. */
  withdrawGraceMs: 5 * second,
  /** A task that is handed back again and again waits no longer than this for the next worker. */
  handBackPauseMsMax: 60 * second,
  errorMessageCharactersMax: 4096,
  /** A worker that stops lets its runs finish for this long, then it takes them back and hands them on. */
  drainGraceMs: 8 * second,
  drainGraceMsMax: 3600 * second,
  /** Progress is written at most once in this time. */
  progressIntervalMs: 1 * second,
  workerConcurrencyMax: 1000,
  /** Queues that a worker of ours can be told to serve: it names them all in its registration. */
  workerQueuesMax: 100,
  /** One packet to ZooKeeper, request or transaction: the server's default `jute.maxbuffer` is 1048575 bytes. */
  packetBytesMax: 1000 * KiB,
  transactionBytesMax: 512 * KiB,
  transactionOperationsMax: 250,
  transactionsInFlightMax: 4,
  /** Watches set again after a reconnect go out in requests of at most this size. */
  setWatchesBytesMax: 128 * KiB,
  /** Reads that travel in one request, and how many do however large the last ones were. */
  readsPerRequestMax: 128,
  readsPerRequestMin: 4,
  /** Their paths; far below what a packet may have. */
  readRequestBytesMax: 256 * KiB,
  /** A few: answers are read in order, and a heartbeat's stands behind them. */
  readRequestsInFlightMax: 2,
  /** What the answer to one request of several reads should come to. */
  readBytesAimedAt: 1024 * KiB,
  /** Reads that a mirror has asked for at a time. */
  readsInFlightMax: 1024,
  /** A larger znode than this is not ours (payload, labels and frame fit well inside): it is stepped around. */
  recordBytesMax: 640 * KiB,
} as const;
