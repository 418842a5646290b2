// The process that makes the load: one load after the other, as its parent asks for them.

import type { DriverAnswer } from './driver.ts';
import { type Load, runLoad } from './loads.ts';

process.on('message', (load: Load) => {
  const answer = (message: DriverAnswer) => process.send?.(message);
  runLoad(load).then(
    (result) => answer({ result }),
    (error: Error) => answer({ error: error.stack ?? error.message }),
  );
});
process.on('disconnect', () => process.exit());
