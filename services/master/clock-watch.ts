// How far the leading master's clock is from that of the ensemble's leader, which stamps what is committed. Delays, deadlines, ticks
// and retention go by the clock of whoever leads, so somebody should know when it is wrong; which of the two is, nobody here can tell.

import type { Gauge } from 'prom-client';
import { timestampText } from '../../domain/timestamp.ts';
import type { Log } from '../../runtime/log.ts';

/** Clocks that are kept at all are closer, and what they decide is not more exact. */
const apartMsMax = 2000;

export class ClockWatch {
  readonly #log: Log;
  readonly #aheadSeconds: Gauge;
  #isApart = false;

  constructor(log: Log, aheadSeconds: Gauge) {
    this.#log = log;
    this.#aheadSeconds = aheadSeconds;
  }

  /** Something was committed at `stampedAt` by the ensemble's clock; it was sent and answered then by ours. All epoch ms. */
  note(sentAt: number, stampedAt: number, answeredAt: number): void {
    const aheadMs = aheadAtLeast(sentAt, stampedAt, answeredAt);
    this.#aheadSeconds.set(aheadMs / 1000);
    const isApart = Math.abs(aheadMs) > apartMsMax;
    if (isApart === this.#isApart) return;
    this.#isApart = isApart;
    const clocks = { aheadMs, ours: timestampText(answeredAt), zooKeepers: timestampText(stampedAt) };
    if (isApart)
      this.#log.warn(
        clocks,
        'the clock of this master and that of the ZooKeeper leader are apart: set the one that is wrong',
      );
    else this.#log.info(clocks, 'the clocks of this master and of the ZooKeeper leader agree again');
  }
}

/** 0 where the two may agree. A clock that was set between sending and answer has gone back, or seems to be far on either side. */
function aheadAtLeast(sentAt: number, stampedAt: number, answeredAt: number): number {
  const [earliest, latest] = [Math.min(sentAt, answeredAt), Math.max(sentAt, answeredAt)];
  if (stampedAt < earliest) return earliest - stampedAt;
  return stampedAt > latest ? latest - stampedAt : 0;
}
