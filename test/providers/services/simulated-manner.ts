import type { Fault, FaultReply, Outcome } from '../../support/simulators/faults.ts';
import type { LoggedRequest, Simulator } from '../../support/simulators/server.ts';
import type { Manner } from '../service.ts';

/** How a simulated service words what every service says. */
export interface Wording {
  refused: FaultReply;
  failed: FaultReply;
  throttled(seconds?: number): FaultReply;
}

/** Has a simulator treat the requests that `isMeant` picks in a manner, from the next one on. */
export function createManners(simulator: Pick<Simulator, 'faults'>, { wording, isMeant }: { wording: Wording; isMeant: (request: LoggedRequest) => boolean }): (manner: Manner) => void {
  let standing: Disposable | undefined;
  return (manner) => {
    standing?.[Symbol.dispose]();
    const outcome = outcomeOf(manner, wording);
    const fault: Fault<LoggedRequest> | undefined = outcome && { when: isMeant, times: Infinity, outcome };
    standing = fault && simulator.faults.add(fault);
  };
}

function outcomeOf(manner: Manner, wording: Wording): Outcome | undefined {
  switch (manner.kind) {
    case 'accepts':
      return undefined;
    case 'refuses':
      return { kind: 'reply', reply: wording.refused };
    case 'fails':
      return { kind: 'reply', reply: wording.failed, applied: manner.applied };
    case 'throttles':
      return { kind: 'reply', reply: wording.throttled(manner.seconds) };
    case 'hangs':
      return { kind: 'hang', applied: manner.applied };
    case 'drips':
      return { kind: 'hang', applied: false };
    case 'drops':
      return { kind: 'drop', applied: manner.applied };
    case 'babbles':
      return manner.applied ? { kind: 'malformed' } : { kind: 'reply', reply: { status: 200, body: '<!doctype html><title>Error</title>' } };
  }
}
