// What to do about a finding, in one line for whoever reads it in the night; docs/audit.md says more. Pure.

import type { RuleName } from './finding.ts';

/** Of every rule that a live system is asked. */
const hints: Readonly<Record<Exclude<RuleName, `quiet-${string}`>, string>> = {
  'status-changed': 'ask who set it; what it said first, only those know who were told',
  'removed-alone': 'mostly a status was deleted; if one is there again the task ran twice: compare both runs',
  'attempt-changed': 'ask who set it; how the attempt ended, the log of its worker says',
  'attempts-numbers': 'nothing to mend: the next attempt goes on from the highest. Look for who made it by hand',
  'attempts-order': 'nothing to mend: look for who made them by hand',
  'attempts-too-many': 'cancel the task if it goes on',
  'attempt-after-end': 'the end stands, leave it; if a run made it, look what that did after the end',
  'attempt-without-end': 'it runs again: cancel it if it must not',
  'end-without-attempt': 'the end stands; ask who wrote it. The log of its worker says how the attempt ended',
  'end-of-ended-attempt': 'compare with what the handler wrote elsewhere, by its fencing token',
  'assigned-twice': 'a leading master takes all back but one; check what both runs did',
  'assigned-and-ended': 'a leading master removes it; where it stays, restart that master, then `delete` it',
  'assigned-attempt': 'look whether that attempt has run already; a cancel of the task ends this run',
  'assigned-early': 'check the clocks of masters; cancel the task if it must not run yet',
  'assigned-before-let-go': 'cancel the run if it needs what the others make, and retry the task when they are over',
  'assigned-to-unfit': 'nothing: the worker hands it back or fails it',
  'worker-overloaded': 'nothing: what is too much waits at the worker. Restart the master if it goes on',
  'key-shared': 'check what both runs did, by their fencing tokens; cancel one if it still runs',
  'key-out-of-turn': 'check what the run did without the earlier one; cancel it if it must wait',
  'submitted-twice': 'delete the second one, or cancel it',
  'keyed-without-key': 'a repeated submit with this key makes a second task: tell the client, or delete this one',
  'master-not-ephemeral': '`delete /master`: a master of ours takes over at once',
  'master-without-epoch': 'it gives up by itself; if it was made by hand, `delete /master`',
  'leftover-assignment': 'nothing: a leading master removes it',
  'assigned-without-task': 'nothing: a leading master removes it',
  'assigned-to-nobody': 'nothing: a leading master records the attempt as lost, and it runs elsewhere',
  'assigned-to-former-life': 'nothing: a leading master records the attempt as lost, and it runs elsewhere',
  'folder-without-worker': '`delete` it, unless the worker is about to start',
  'worker-without-folder': 'nothing for a worker of ours; for one made by hand, `create` it',
  'key-without-tasks': 'nothing: the next submit with that key removes it',
  'nobody-leads': 'start a master, or look at why those that run do not lead',
  'missing-parent': 'nothing: any process of ours makes it when it starts or notices',
  'sequence-near-end': 'plan the move to a new chroot: docs/reference.md, "The end of the numbers"',
  'worker-overloaded-by-hand': 'nothing: what is too much waits at the worker',
  'key-shared-by-hand': 'check what both runs did; `delete` the assignment made by hand to stop it',
  'queue-overfull': 'nothing: no more are started until it fits',
  'let-go-early': 'cancel the task if it must wait for the others, and retry it when they are over',
  'ran-before-let-go': 'nothing to mend; check what the run did without the others',
  'master-by-hand': 'end that session, or `delete /master`',
  'no-worker': '`delete` it',
  'no-task': 'submit it again as it should be',
  'empty-task': 'cancel it, and submit it again with a command; an empty one does nothing',
  unreadable: 'below a task leave it, it counts as told here; else write it again, or `delete` it',
  'not-taken': 'write the settings again with PUT /queues/:name',
  'newer-record': 'update the older processes',
  'not-persistent': 'create it again without -e, then `delete` this one',
  'unknown-name': 'below a task leave it; else `deleteall` it, if nobody needs it',
  hidden: 'set ZOOKEEPER_DIGEST_FILE; else let its owner `setAcl` or `delete` it',
  'picture-differs': 'keep the evidence (--json, its log), then restart that master',
  'picture-missing': 'look at the /readyz and the log of that master',
};

/** Null: nothing is known that would help. */
export function hintOf(rule: RuleName): string | null {
  return (hints as Readonly<Partial<Record<RuleName, string>>>)[rule] ?? null;
}
