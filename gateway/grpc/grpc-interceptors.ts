// What is done around every call, before its method hears of it.

import { ResponderBuilder, ServerInterceptingCall, type ServerInterceptor, ServerListenerBuilder } from '@grpc/grpc-js';
import { ServiceError } from '../../domain/errors.ts';
import { serverLimits } from '../server-limits.ts';
import { grpcStatusOf } from './grpc-error.ts';

/**
 * A request of one message has to arrive within a time, as over HTTP: else clients that send the beginning of one, on as many
 * streams as they may have, would hold what has arrived for as long as they like.
 *
 * To be there matters by itself: only behind an interceptor does grpc-js 1.14 drop what arrives after the end of a call.
 * Without one, a call whose deadline passes before its request is complete still reaches its method, which is then never
 * told that nobody waits for the answer.
 */
export const requestsArriveInTime: ServerInterceptor = (method, call) => {
  if (method.requestStream) return new ServerInterceptingCall(call);
  const tooLate = setTimeout(
    () => call.sendStatus(grpcStatusOf(requestTimeout())),
    serverLimits.requestTimeoutMs,
  ).unref();
  const arrivedOrGone = () => clearTimeout(tooLate);
  const listener = new ServerListenerBuilder()
    .withOnReceiveHalfClose((next) => {
      arrivedOrGone();
      next();
    })
    .withOnCancel(arrivedOrGone)
    .build();
  const responder = new ResponderBuilder().withStart((next) => next(listener)).build();
  return new ServerInterceptingCall(call, responder);
};

function requestTimeout(): ServiceError {
  return new ServiceError('request-timeout', 'The request took too long to arrive.');
}
