// What is done around every call, before its method hears of it, and around each of its answers.

import {
  type Responder,
  ResponderBuilder,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  ServerListenerBuilder,
} from '@grpc/grpc-js';
import { ServiceError } from '../../domain/errors.ts';
import { type Hold, untakenAnswers } from '../held-bytes.ts';
import { serverLimits } from '../server-limits.ts';
import { grpcStatusOf } from './grpc-error.ts';

/**
 * A request of one message has to arrive within a time, as over HTTP: else clients that send the beginning of one, on as many
 * streams as they may have, would hold what has arrived for as long as they like. And what a client does not take is counted;
 * `endConnection` ends that of a peer who has too much waiting for it.
 *
 * To be there matters by itself: only behind an interceptor does grpc-js 1.14 drop what arrives after the end of a call.
 * Without one, a call whose deadline passes before its request is complete still reaches its method, which is then never
 * told that nobody waits for the answer.
 */
export function boundedCalls(endConnection: (peer: string) => void): ServerInterceptor {
  return (method, call) => {
    const tooLate = method.requestStream
      ? undefined
      : setTimeout(() => call.sendStatus(grpcStatusOf(requestTimeout())), serverLimits.requestTimeoutMs).unref();
    const listener = new ServerListenerBuilder()
      .withOnReceiveHalfClose((next) => {
        clearTimeout(tooLate);
        next();
      })
      .withOnCancel(() => {
        clearTimeout(tooLate);
        counted.release();
      })
      .build();
    const responder = new ResponderBuilder().withStart((next) => next(listener)).build();
    const counted = new CountedCall(call, responder, endConnection);
    return counted;
  };
}

/**
 * An answer for which its client gives no room on the stream waits here whole, for as long as the connection lives; and that goes on answering
 * pings, also where the program behind it is stuck.
 */
class CountedCall extends ServerInterceptingCall {
  readonly #endConnection: (peer: string) => void;
  /** Of the answer that is on its way: there is one at a time. */
  #hold: Hold | null = null;

  constructor(call: ServerInterceptingCallInterface, responder: Responder, endConnection: (peer: string) => void) {
    super(call, responder);
    this.#endConnection = endConnection;
  }

  /** `onTaken` is called once it has left. */
  override sendMessage(message: unknown, onTaken: () => void): void {
    // What may be large comes encoded (grpc-answers.ts).
    if (!Buffer.isBuffer(message)) return super.sendMessage(message, onTaken);
    const hold = untakenAnswers.hold(message.length, () => this.#endConnection(this.getPeer()));
    this.#hold = hold;
    super.sendMessage(message, () => {
      hold.end();
      onTaken();
    });
  }

  release(): void {
    this.#hold?.end();
  }
}

function requestTimeout(): ServiceError {
  return new ServiceError('request-timeout', 'The request took too long to arrive.');
}
