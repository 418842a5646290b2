// The process that makes the loads.

import { serveActions } from './child.ts';
import { deafState, dropDeaf, openDeafGrpc, openDeafHttp } from './loads/deaf-readers.ts';
import { flood, stopFlood } from './loads/flood.ts';
import { dropLongPolls, longPollAnswers, openLongPolls } from './loads/long-polls.ts';
import { holdConnections, sendNonsense } from './loads/nuisances.ts';
import { closeStreams, openStreams, streamEnds } from './loads/streams.ts';

const actions = {
  ...{ flood, stopFlood },
  ...{ openLongPolls, longPollAnswers, dropLongPolls },
  ...{ openStreams, streamEnds, closeStreams },
  ...{ openDeafHttp, openDeafGrpc, deafState, dropDeaf },
  ...{ holdConnections, sendNonsense },
};
export type LoadActions = typeof actions;

serveActions(actions);
